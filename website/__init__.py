"""The documentation as a site: `make docs`. mkdocs.yml orders the pages; mkdocs calls hooks.py."""
