// How the lineage page looks: on a screen, in the dark, on paper. The text is named by its hash in the page's policy.

extension LineagePage {
  static let style = #"""
    :root{--bg:#fff;--fg:#1b2430;--muted:#5a6675;--line:#d8dee6;--soft:#f5f7fa;--link:#1f5fae;--ok:#1d6f42;--okbg:#e5f4ea;--bad:#a3231f;--badbg:#fbe9e7;--warn:#7a4d00;--warnbg:#fdf1d8;--run:#2f6cb3;--runbg:#eef4fc;--made:#3c7f5a;--madebg:#f4faf6;--source:#6b7685;--sourcebg:#f7f8fa;--ext:#7a4fa3;--extbg:#f7f1fc;--edge:#a9b3c0;--hot:#d2571b}
    @media (prefers-color-scheme:dark){:root{--bg:#12171e;--fg:#dfe5ec;--muted:#98a4b3;--line:#2b3440;--soft:#1a212a;--link:#7fb2f0;--ok:#7fd3a0;--okbg:#16301f;--bad:#f39a92;--badbg:#3a1a18;--warn:#ecc06a;--warnbg:#362a10;--run:#6ea3e2;--runbg:#182537;--made:#6fb48d;--madebg:#16251d;--source:#8794a5;--sourcebg:#1b222b;--ext:#b992de;--extbg:#261c32;--edge:#4f5b6a;--hot:#ff9559}}
    *{box-sizing:border-box}
    html{background:var(--bg);color:var(--fg);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;scroll-padding-top:12px}
    body{margin:0 auto;padding:24px 28px 64px;max-width:1480px}
    h1{font-size:22px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
    h2{font-size:16px;margin:36px 0 8px;padding-bottom:4px;border-bottom:1px solid var(--line)}
    h3{font-size:14px;margin:0 0 8px;overflow-wrap:anywhere}
    p{margin:0 0 8px}
    a{color:var(--link);text-decoration:none}
    a:hover{text-decoration:underline}
    :focus-visible{outline:2px solid var(--hot);outline-offset:2px}
    .skip{position:absolute;left:-999px}
    .skip:focus{left:12px;top:8px;background:var(--bg);padding:4px 10px;z-index:2}
    .muted,caption{color:var(--muted)}
    .mono,.mono bdi,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12.5px}
    bdi{overflow-wrap:anywhere}
    .counts{display:flex;flex-wrap:wrap;gap:6px 18px;list-style:none;margin:8px 0 0;padding:0;color:var(--muted)}
    .counts b{color:var(--fg)}
    .counts .good{color:var(--ok)}
    .counts .warn,.counts .warn b{color:var(--warn)}
    .card{margin-top:16px;padding:12px 16px;background:var(--soft);border:1px solid var(--line);border-radius:6px}
    .facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 16px;margin:0}
    dt{color:var(--muted)}
    dd{margin:0;overflow-wrap:anywhere}
    .unknowns{margin:0;padding:8px 16px 8px 32px;background:var(--warnbg);border-radius:6px}
    .unknowns b{color:var(--warn)}
    .tag{display:inline-block;padding:0 7px;border-radius:9px;font-size:12px;line-height:18px;font-weight:500;background:var(--soft);color:var(--muted);white-space:nowrap}
    .tag.ok{background:var(--okbg);color:var(--ok)}
    .tag.bad{background:var(--badbg);color:var(--bad)}
    .tag.warn{background:var(--warnbg);color:var(--warn)}
    .tag.cached{background:var(--runbg);color:var(--run)}
    table{border-collapse:collapse;width:100%}
    th,td{text-align:left;vertical-align:top;padding:4px 12px 4px 0;border-bottom:1px solid var(--line)}
    thead th{color:var(--muted);font-weight:500;font-size:12px;white-space:nowrap}
    td.num{white-space:nowrap;font-variant-numeric:tabular-nums}
    td.hash bdi{font-size:11.5px}
    .scroll{overflow-x:auto}
    article{margin:14px 0 0;padding:14px 16px;border:1px solid var(--line);border-radius:6px}
    article:target,tr:target>td{background:var(--warnbg)}
    .cmd{margin:10px 0;padding:8px 12px;background:var(--soft);border-radius:4px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
    table.files{margin-bottom:8px}
    .pair{display:flex;flex-wrap:wrap;align-items:flex-start;gap:12px 40px}
    .values{width:auto;min-width:220px}
    .values caption{text-align:left;font-size:12px;padding-bottom:2px}
    .values th{font-weight:400}
    .tools{display:none;flex-wrap:wrap;align-items:center;gap:8px 20px;margin-bottom:8px}
    .js .tools{display:flex}
    .tools fieldset{display:flex;flex-wrap:wrap;gap:4px 14px;border:0;margin:0;padding:0}
    .tools legend{float:left;margin-right:2px;color:var(--muted)}
    .tools label{display:inline-flex;align-items:center;gap:5px}
    .key{width:11px;height:11px;border:1.5px solid;border-radius:2px}
    .key.run{border-color:var(--run);background:var(--runbg)}
    .key.made{border-color:var(--made);background:var(--madebg)}
    .key.source{border-color:var(--source);background:var(--sourcebg)}
    .key.model{border-color:var(--made);background:var(--okbg);border-radius:6px}
    .key.external{border-color:var(--ext);background:var(--extbg);border-radius:6px}
    .key.unknown{border-color:var(--warn);background:var(--warnbg);border-style:dashed}
    input[type=search]{font:inherit;width:250px;padding:3px 8px;color:inherit;background:var(--bg);border:1px solid var(--edge);border-radius:4px}
    button{font:inherit;min-width:30px;padding:2px 9px;color:inherit;background:var(--soft);border:1px solid var(--edge);border-radius:4px;cursor:pointer}
    .zoom{display:inline-flex;gap:4px}
    #hits{color:var(--muted)}
    #view{overflow:auto;max-height:78vh;border:1px solid var(--line);border-radius:6px;background:var(--bg)}
    .js #view{overflow:hidden;cursor:grab;touch-action:none}
    .js #view.drag{cursor:grabbing}
    #graph{display:block}
    #graph text{font:500 12.5px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;fill:var(--fg);direction:ltr;unicode-bidi:isolate}
    #graph text.d{font-weight:400;font-size:11px;fill:var(--muted)}
    #graph a:hover{text-decoration:none}
    #graph a:focus-visible{outline:none}
    #graph a:focus-visible rect{stroke:var(--hot);stroke-width:2.5}
    .n rect{stroke-width:1.2;fill:var(--sourcebg);stroke:var(--source)}
    .n.run rect{fill:var(--runbg);stroke:var(--run)}
    .n.run.bad rect{fill:var(--badbg);stroke:var(--bad)}
    .n.run.cached rect{stroke-dasharray:5 3}
    .n.made rect{fill:var(--madebg);stroke:var(--made)}
    .n.model rect{fill:var(--okbg);stroke:var(--made);stroke-width:1.8}
    .n.external rect{fill:var(--extbg);stroke:var(--ext)}
    .n.unknown rect{fill:var(--warnbg);stroke:var(--warn);stroke-dasharray:4 3}
    .n.root rect{stroke-width:2.6}
    .bar{fill:none;stroke-width:3;stroke:var(--source)}
    .made .bar{stroke:var(--made)}
    .e{fill:none;stroke:var(--edge);stroke-width:1.2}
    .e.same-bytes,.e.unknown{stroke-dasharray:3 4}
    .e.restored{stroke-dasharray:7 4}
    #tip path{fill:var(--edge)}
    #tip-hot path{fill:var(--hot)}
    .e.hot{stroke:var(--hot);stroke-width:1.8}
    .n.hot rect{stroke:var(--hot)}
    .n.dim{opacity:.22}
    .e.dim{opacity:.12}
    .off,[data-row].miss{display:none}
    .n.hit rect{stroke:var(--hot);stroke-width:2.6}
    @media (max-width:700px){body{padding:16px 12px 40px}.facts{grid-template-columns:1fr}dt{margin-top:4px}}
    @media print{@page{margin:13mm}
    :root{--bg:#fff;--fg:#000;--muted:#444;--line:#bbb;--soft:#f4f4f4;--link:#000;--ok:#1d6f42;--okbg:#fff;--bad:#a3231f;--badbg:#fff;--warn:#7a4d00;--warnbg:#fff;--run:#2f6cb3;--runbg:#fff;--made:#3c7f5a;--madebg:#fff;--source:#6b7685;--sourcebg:#fff;--ext:#7a4fa3;--extbg:#fff;--edge:#888}
    html{font-size:10.5px}body{padding:0;max-width:none}.tools,.js .tools,.skip,.hint{display:none}
    #view{max-height:none;border:0;overflow:visible!important}#graph{width:100%!important;height:auto!important;max-height:250mm}
    article,tr,.card{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}.mono,.mono bdi,pre{font-size:9px}td.hash bdi{font-size:7.5px}
    [data-row].miss{display:revert}.n.dim,.e.dim{opacity:1}}
    """#
}
