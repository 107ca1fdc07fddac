"""An executed notebook as one HTML page that needs no network: formulas as MathML, no scripts."""

from html import escape, unescape
from typing import Any

import nbformat
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# nbconvert's own page, but it loads no scripts from elsewhere.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def mathml(latex: str, display: str) -> str:
    """A formula as a <math> element; display: "inline" or "block". What the converter cannot read stays as it was written."""
    known = unescape(latex).replace(r"\arg", r"\mathrm{arg}")  # the one name here that the converter does not know
    try:
        return convert(known, display=display)
    except Exception:  # its errors have no common base
        return f"<code>{escape(latex)}</code>"


class Renderer(IPythonRenderer):
    """Markdown whose formulas are MathML, which browsers draw by themselves."""

    def inline_math(self, body: str) -> str:
        return mathml(body, "inline")

    def block_math(self, body: str) -> str:
        return mathml(body, "block")

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")


class Page(HTMLExporter):
    """nbconvert's page, complete in itself."""

    raw_template = TEMPLATE

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = Renderer(escape=False, attachments=attachments, anchor_link_text=self.anchor_link_text)
        return MarkdownWithMath(renderer=renderer).render(source)


def page(nb: nbformat.NotebookNode, title: str) -> str:
    """The notebook as HTML."""
    return Page().from_notebook_node(nb, resources={"metadata": {"name": title}})[0]
