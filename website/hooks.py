"""What mkdocs calls while it builds the site: pages from outside of docs/, links, diagrams."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # mkdocs loads a hook as a file, not as part of a package

from website.pages import FROM_OUTSIDE, with_links  # noqa: E402

_DIAGRAMS = "assets/mermaid.min.js"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside of docs/, and the program that draws diagrams."""
    for source, page in FROM_OUTSIDE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    program = ROOT / "build" / "mermaid.min.js"
    files.append(File.generated(config, _DIAGRAMS, abs_src_path=str(program)))
    return files


def on_post_build(config: MkDocsConfig) -> None:
    """Let an alert's URL, which ends in `.md` as in the repository, lead to its runbook."""
    target = Path(config.site_dir) / "runbooks"
    for path in (ROOT / "docs" / "runbooks").glob("*.md"):
        shutil.copy(path, target / path.name)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to pages of the site, or into the repository."""
    del files
    return with_links(markdown, page.file.src_uri, str(config.repo_url).rstrip("/"))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Give a page with a diagram its own copy of mermaid, which the theme would fetch from afar."""
    del config
    if 'class="mermaid"' not in output:
        return output
    script = f'<script src="{page.url.count("/") * "../"}{_DIAGRAMS}"></script>'
    # In the head: the theme's own script comes later, and looks whether it is there.
    return output.replace("</head>", f"{script}</head>", 1)
