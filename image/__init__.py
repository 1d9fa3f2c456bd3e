"""Build, inspect and run the two images, and the scripts that the Dockerfile runs.

assemble.py and prune.py run inside the build and use only the standard library. make, CI and the
tests of the image call the rest. Of the operator, they import only the version.
"""
