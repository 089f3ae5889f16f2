"""Colours and style sheet of the report. One palette for light, one for dark; every pair is checked for WCAG AA."""

LIGHT = {
    "page": "#f4f6f8",
    "card": "#ffffff",
    "ink": "#141a22",
    "muted": "#55606e",
    "line": "#d5dbe2",
    "course": "#2557d6",
    "record": "#6b7683",
    "better": "#0a7a4f",
    "worse": "#c0312b",
    "lock": "#8a5a00",
}
DARK = {
    "page": "#0d1117",
    "card": "#161c24",
    "ink": "#e8edf3",
    "muted": "#9fabb9",
    "line": "#2b3541",
    "course": "#82a8ff",
    "record": "#93a0af",
    "better": "#45d195",
    "worse": "#ff8078",
    "lock": "#e2ac4b",
}
# What is written, or drawn, on what: text needs 4.5 to 1 (WCAG 1.4.3), marks of a chart 3 to 1 (WCAG 1.4.11).
TEXT_ON = [
    (ink, ground) for ink in ("ink", "muted", "course", "better", "worse", "lock") for ground in ("page", "card")
]
MARKS_ON = [(mark, "card") for mark in ("course", "record", "better", "worse", "lock")]


def style_sheet() -> str:
    """The whole style sheet, without a newline to spare."""
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;{_variables(DARK)}}}}}"
    return f":root{{color-scheme:light;{_variables(LIGHT)}}}{dark}" + "".join(
        line.strip() for line in _RULES.splitlines()
    )


def _variables(palette: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in palette.items())


_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
 font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
 font-variant-numeric:tabular-nums;overflow-wrap:break-word}
.skip{position:absolute;left:-999px}
.skip:focus{left:8px;top:8px;background:var(--card);padding:8px 12px;z-index:2}
.page{max-width:1000px;margin:0 auto;padding:20px 16px 48px}
:focus-visible{outline:3px solid var(--course);outline-offset:2px}
a{color:var(--course)}
h1{font-size:1.7rem;line-height:1.2;margin:.1em 0 .1em;letter-spacing:-.01em}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 .3em}
h3{font-size:1rem;margin:1.4em 0 .3em}
p{margin:.5em 0;max-width:70ch}
.eyebrow,.muted,figcaption,caption,dt,th,.x,.y,footer{color:var(--muted)}
.eyebrow{font-size:.875rem;margin:0}
section,.hero{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:20px;margin:16px 0}
.hero{border-top:4px solid var(--course)}
.net{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 16px;margin:.6em 0 .2em}
.net strong{font-size:clamp(2.2rem,9vw,3.4rem);line-height:1.05;letter-spacing:-.02em;overflow-wrap:anywhere}
.verdict{font-size:1.1rem}
.doubt{border-left:3px solid var(--lock);padding-left:10px}
.good{color:var(--better)}
.bad{color:var(--worse)}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:10px;margin:16px 0 0;padding:0}
.tiles div{border:1px solid var(--line);border-radius:10px;padding:10px 12px}
.tiles dt{font-size:.85rem}
.tiles dd{margin:0;font-size:1.35rem;font-weight:650;line-height:1.25}
.tiles dd+dd{font-size:.9rem;font-weight:400}
nav ul{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;padding:0;margin:14px 0 0;font-size:.9rem}
nav a{display:inline-block;padding:4px 0}
figure{margin:.8em 0 0}
figcaption{font-size:.9rem}
.key{display:flex;flex-wrap:wrap;gap:2px 18px;list-style:none;padding:0;margin:.3em 0 .6em;font-size:.9rem}
.key svg{width:26px;height:12px;margin-right:6px;vertical-align:-1px}
.plot{position:relative;margin-left:58px;height:260px}
.plot svg{position:absolute;inset:0;width:100%;height:100%;overflow:visible}
.low .plot{height:170px}
.y{position:absolute;right:100%;margin-right:8px;transform:translateY(-50%);font-size:.8rem;white-space:nowrap}
.x{display:flex;justify-content:space-between;margin:4px 0 0 58px;font-size:.8rem}
svg path,svg line{vector-effect:non-scaling-stroke;fill:none}
.grid{stroke:var(--line);stroke-width:1}
.zero{stroke:var(--muted);stroke-width:1}
.record{stroke:var(--record);stroke-width:2;stroke-dasharray:6 4}
.course{stroke:var(--course);stroke-width:2.5;stroke-linejoin:round}
.floor{stroke:var(--worse);stroke-width:1.5;stroke-dasharray:2 3}
svg .up{fill:var(--better)}
svg .down{fill:var(--worse)}
svg .band{fill:var(--course);fill-opacity:.16}
svg .gain{fill:var(--better);fill-opacity:.16}
svg .loss{fill:var(--worse);fill-opacity:.16}
svg .sim{fill-opacity:.22;stroke-width:1.5}
svg .up.sim{stroke:var(--better)}
svg .down.sim{stroke:var(--worse)}
.dot{stroke:var(--course);stroke-width:9;stroke-linecap:round}
.behind{stroke:var(--record);stroke-width:6;stroke-linecap:round}
.hole{stroke:var(--card);stroke-width:4.5;stroke-linecap:round}
.lock{stroke:var(--lock);stroke-width:7;stroke-linecap:square}
.whisker{stroke:var(--ink);stroke-width:2}
.bar{display:grid;grid-template:"n s a"/7em 1fr 14em;gap:4px 14px;align-items:center;margin:10px 0}
.bar p{margin:0;grid-area:n}
.bar svg{grid-area:s;width:100%;height:22px;display:block;overflow:visible}
.bar .amount{grid-area:a;text-align:right;font-weight:600}
.id,.day{white-space:nowrap}
.long{overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.93rem}
caption{text-align:left;font-size:.9rem;padding:0 0 6px}
th,td{padding:7px 10px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
thead th{font-weight:600;font-size:.85rem;vertical-align:bottom}
tbody th{color:var(--ink);font-weight:600}
th:first-child,td:first-child{padding-left:0}
.n{text-align:right}
td.n{white-space:nowrap}
.note{display:block;color:var(--muted);font-size:.88rem;font-weight:400}
td svg{width:120px;height:30px;display:block;overflow:visible}
summary{cursor:pointer;padding:8px 0;color:var(--course);font-weight:600}
code{font:.85rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
ul.plain{padding-left:1.2em;margin:.4em 0}
ul.plain li{margin:.25em 0}
@media(max-width:640px){
 .page{padding:12px 12px 32px}
 section,.hero{padding:16px 14px;border-radius:12px}
 h1{font-size:1.45rem}
 th,td{padding:7px 6px}
 .tiles{grid-template-columns:1fr 1fr}
 .plot{height:220px}
 .bar{grid-template:"n a" "s s"/auto 1fr}
 .stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
 .stack table,.stack tbody,.stack caption{display:block}
 .stack tr{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2px 14px;
 padding:10px 0;border-bottom:1px solid var(--line)}
 .stack td,.stack th{display:block;border:0;padding:0;text-align:left;white-space:normal}
 .stack th,.stack .wide{grid-column:1/-1}
 .stack tr:has(.lead) th{grid-column:1}
 .stack .lead{grid-area:1/2;text-align:right}
 .stack td svg{width:100%}
 .stack td:empty{display:none}
 .stack td[data-l]::before{content:attr(data-l);display:block;color:var(--muted);font-size:.8rem;font-weight:400}
 .stack td.lead::before,.stack td[data-l=""]::before{display:none}
}
@media print{
 body{background:#fff;font-size:11pt}
 .page{max-width:none;padding:0}
 nav,.skip{display:none}
 section,.hero{border:0;border-top:1px solid var(--line);border-radius:0;padding:10px 0;margin:0}
 tr,figure,.tiles div,.bar{break-inside:avoid}
 h2,h3{break-after:avoid}
 details::details-content{content-visibility:visible;display:block;height:auto}
 *{print-color-adjust:exact}
}
"""
