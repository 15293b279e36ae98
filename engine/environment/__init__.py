"""The environment that is changed: where it is, what its interpreter can do, what is installed in it.

`target` and `installed` are on the warm path; `interpreter`, `probe` and
`create` start another Python and are only loaded where that is needed.  The
package itself imports nothing, and nothing in it ever imports from a target.
"""
