"""Locks: what is to be there, as files say it.

`pins` is the model, `requirements` the grammar of requirements.txt.
"""
