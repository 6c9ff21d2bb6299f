"""The yardstick of the desk: a bare Starlette page that renders a template of twenty lines."""

from __future__ import annotations

import sys

import uvicorn
from jinja2 import DictLoader, Environment, select_autoescape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

PAGE = """<!doctype html>
<html lang="zh-TW">
<head>
<meta charset="utf-8">
<title>{{ title }}</title>
<link rel="stylesheet" href="/static/desk.css">
</head>
<body>
<main>
<h1>{{ title }}</h1>
<ul>
{%- for row in rows %}
<li class="{{ row.kind }}"><a href="/desk/cases/{{ row.id }}">{{ row.number }}</a> {{ row.topic }}</li>
{%- else %}
<li>–</li>
{%- endfor %}
</ul>
</main>
</body>
</html>
"""


def main(port: str) -> None:
    """Serve with the settings that `labor-bot serve` gives uvicorn."""
    template = Environment(loader=DictLoader({"page": PAGE}), autoescape=select_autoescape(default=True)).get_template(
        "page"
    )
    rows = [{"id": number, "kind": "case", "number": f"A-{number}", "topic": "就業"} for number in range(10)]

    async def page(request: Request) -> Response:
        return HTMLResponse(template.render(title=request.query_params.get("title", "案件"), rows=rows))

    async def ready(request: Request) -> Response:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/", page), Route("/readyz", ready)])
    uvicorn.run(app, port=int(port), access_log=False, log_level="warning", server_header=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
