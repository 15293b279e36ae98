"""What is to be resolved: the requirements of files, of projects and of the command line.

`reading` puts everything together; `lines` knows what a line may say, `project` what pyproject.toml and setup.cfg
say, `extras` what extras of a project itself lead to, `parts` what can be chosen of it.
"""
