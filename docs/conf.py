"""What Sphinx makes the site of: ``tox -e docs``."""

project = "pytest-cc-otel"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
# The headings that links may name, as GitHub names them.
myst_heading_anchors = 4
# Options begin with two hyphens, and stay so.
smartquotes = False
# Every link must lead somewhere; those to other sites are not followed.
nitpicky = True

html_theme = "sphinx_book_theme"
html_title = project
html_copy_source = False
html_show_copyright = False
# Nothing is asked of the network: no fonts, no scripts, no pictures of others.
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    # One field to search in is enough.
    "navbar_persistent": [],
}
