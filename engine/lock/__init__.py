"""Locks: what is to be there, as files say it.

`engine.inputs` has their bytes; this is loaded where no plan answers.  `reading`
puts all files together into one `lock.Lock`; `requirements` (with `options`,
`text`, `direct`) and `pylock` are the formats, `pins` the model of a line.
"""
