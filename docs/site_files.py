"""What the site shows of the files outside `docs/`: README as its first page, figures, records.

mkdocs calls the functions below. Links of README and of `docs/` are written as they hold in the
repository; here they become those of the site, where `docs/` is the root.
"""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
SHOWN = (
    "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "artifacts/**/*.json",
    "bench/*.json", "bench/*.png", "notebooks/*.ipynb", "report/*.json", "report/*.md",
    "report/figures/*",
)  # fmt: skip


def on_files(files: Files, config: Any) -> Files:
    """Adds README as index.md, and what the pages link to, under the paths of the repository."""
    for path in [path for pattern in SHOWN for path in sorted(ROOT.glob(pattern))]:
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "index.md", content=readme))
    files.remove(files.src_uris["site_files.py"])
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The text with the links of the site."""
    if page.file.src_uri in ("index.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        return markdown.replace("](docs/", "](").replace("](notebooks)", "](notebooks/live.ipynb)")
    if page.file.src_uri.startswith("report/"):
        return markdown
    return markdown.replace("](../", "](")
