// What the lineage page can do beside being read: move and zoom the graph, search, hide kinds, show neighbours. Reads the
// page and nothing else; the text is named by its hash in the page's policy.

extension LineagePage {
  static let script = #"""
    (function(){"use strict";
    var d=document,$=function(i){return d.getElementById(i)},svg=$("graph"),view=$("view");
    if(!svg||!view)return;
    d.documentElement.classList.add("js");
    var W=+svg.getAttribute("width"),H=+svg.getAttribute("height"),box={x:0,y:0,k:1},
    nodes=[].slice.call(svg.querySelectorAll(".n")),edges=[].slice.call(svg.querySelectorAll(".e")),by=[],near=[],
    rows=[].slice.call(d.querySelectorAll("[data-row]"));
    nodes.forEach(function(n){by[+n.dataset.n]=n;near[+n.dataset.n]=[];
    n.words=(n.querySelector("title").textContent+" "+n.dataset.s).toLowerCase()});
    edges.forEach(function(e){near[+e.dataset.f].push(e);near[+e.dataset.t].push(e)});
    function size(){return{w:view.clientWidth||800,h:view.clientHeight||500}}
    function draw(){var s=size();svg.setAttribute("viewBox",[box.x,box.y,s.w/box.k,s.h/box.k].join(" "))}
    function tall(){var s=size(),k=Math.min(1,s.w/W);if(k<.7)k=.85;
    view.style.height=Math.round(Math.max(220,Math.min(H*k+4,innerHeight*.74)))+"px";
    svg.setAttribute("width","100%");svg.setAttribute("height","100%")}
    function whole(){var s=size();return Math.min(1.25,s.w/W,s.h/H)}
    function fit(){var s=size();box.k=whole();box.x=(W-s.w/box.k)/2;box.y=(H-s.h/box.k)/2;draw()}
    function center(x,y,k){var s=size();box.k=k;box.x=x-s.w/k/2;box.y=y-s.h/k/2;draw()}
    function bound(lo,v,hi){return lo>hi?(lo+hi)/2:Math.max(lo,Math.min(hi,v))}
    function first(){var k=whole(),s;if(k>=.7||!svg.dataset.x)return fit();
    center(+svg.dataset.x,+svg.dataset.y,.85);s=size();
    box.x=bound(0,box.x,W-s.w/box.k);box.y=bound(0,box.y,H-s.h/box.k);draw()}
    function zoom(f,px,py){var s=size(),k=Math.max(.03,Math.min(4,box.k*f));
    if(px===undefined){px=s.w/2;py=s.h/2}
    box.x+=px/box.k-px/k;box.y+=py/box.k-py/k;box.k=k;draw()}
    $("in").onclick=function(){zoom(1.3)};$("out").onclick=function(){zoom(1/1.3)};$("fit").onclick=fit;
    view.addEventListener("wheel",function(e){if(!e.ctrlKey&&!e.metaKey)return;e.preventDefault();
    var r=view.getBoundingClientRect();zoom(Math.exp(-e.deltaY/300),e.clientX-r.left,e.clientY-r.top)},{passive:false});
    var grip=null,moved=false;
    view.addEventListener("pointerdown",function(e){if(e.button)return;grip={x:e.clientX,y:e.clientY,bx:box.x,by:box.y};moved=false});
    addEventListener("pointermove",function(e){if(!grip)return;var x=e.clientX-grip.x,y=e.clientY-grip.y;
    if(!moved&&Math.abs(x)+Math.abs(y)<4)return;moved=true;view.classList.add("drag");
    box.x=grip.bx-x/box.k;box.y=grip.by-y/box.k;draw()});
    addEventListener("pointerup",function(){grip=null;view.classList.remove("drag")});
    view.addEventListener("click",function(e){if(moved){e.preventDefault();moved=false}},true);
    view.addEventListener("dragstart",function(e){e.preventDefault()});
    view.addEventListener("keydown",function(e){if(e.ctrlKey||e.metaKey||e.altKey)return;
    var k=e.key,m=60/box.k,go={ArrowLeft:[-m,0],ArrowRight:[m,0],ArrowUp:[0,-m],ArrowDown:[0,m]}[k];
    if(go){box.x+=go[0];box.y+=go[1];draw()}else if(k==="+"||k==="=")zoom(1.3);else if(k==="-")zoom(1/1.3);
    else if(k==="0")fit();else return;e.preventDefault()});
    function spot(n){var r=n.querySelector("rect");return{x:+r.getAttribute("x")+116,y:+r.getAttribute("y")+37}}
    function show(n){var p=spot(n),s=size();
    if(p.x<box.x+110||p.y<box.y+30||p.x>box.x+s.w/box.k-110||p.y>box.y+s.h/box.k-30)center(p.x,p.y,Math.max(box.k,.6))}
    function hot(n,on){near[+n.dataset.n].forEach(function(e){e.classList.toggle("hot",on);
    var m=e.hasAttribute("marker-start")?"marker-start":"marker-end";e.setAttribute(m,on?"url(#tip-hot)":"url(#tip)");
    [e.dataset.f,e.dataset.t].forEach(function(i){by[+i].classList.toggle("hot",on)})})}
    nodes.forEach(function(n){var a=n.parentNode;
    n.addEventListener("pointerenter",function(){hot(n,true)});n.addEventListener("pointerleave",function(){hot(n,false)});
    a.addEventListener("focus",function(){hot(n,true);view.scrollTop=view.scrollLeft=0;if(a.matches(":focus-visible"))show(n)});
    a.addEventListener("blur",function(){hot(n,false)})});
    var q=$("q"),kinds=[].slice.call(d.querySelectorAll("input[name=kind]")),said="";
    function apply(moves){var words=q.value.toLowerCase().split(/\s+/).filter(Boolean),hidden={},hits=0,found=null;
    kinds.forEach(function(c){if(!c.checked)hidden[c.value]=true});
    nodes.forEach(function(n){var off=!!hidden[n.dataset.k],ok=words.every(function(w){return n.words.indexOf(w)>=0});
    n.classList.toggle("off",off);n.parentNode.classList.toggle("off",off);n.classList.toggle("dim",!ok);n.classList.toggle("hit",ok&&words.length>0);
    if(ok&&!off){hits++;if(!found)found=n}});
    edges.forEach(function(e){var a=by[+e.dataset.f],b=by[+e.dataset.t];
    e.classList.toggle("off",a.classList.contains("off")||b.classList.contains("off"));
    e.classList.toggle("dim",a.classList.contains("dim")||b.classList.contains("dim"))});
    rows.forEach(function(r){if(r.words===undefined)r.words=r.textContent.toLowerCase();
    r.classList.toggle("miss",!words.every(function(w){return r.words.indexOf(w)>=0}))});
    $("hits").textContent=words.length||Object.keys(hidden).length?hits+" of "+nodes.length+" boxes":"";
    if(moves&&words.length&&found){var p=spot(found);center(p.x,p.y,Math.max(box.k,.6))}}
    function keep(){var p=[];if(q.value)p.push("q="+encodeURIComponent(q.value));
    var h=kinds.filter(function(c){return!c.checked}).map(function(c){return c.value});if(h.length)p.push("hide="+h.join(","));
    said=p.length?"#"+p.join("&"):"";try{history.replaceState(null,"",said||location.pathname+location.search)}catch(e){}}
    q.addEventListener("input",function(){apply(true);keep()});
    kinds.forEach(function(c){c.addEventListener("change",function(){apply(false);keep()})});
    function read(){var h=location.hash.slice(1);if(h.indexOf("=")<0)return;var z=null;
    h.split("&").forEach(function(part){var i=part.indexOf("="),k=part.slice(0,i),v;
    try{v=decodeURIComponent(part.slice(i+1))}catch(e){return}
    if(k==="q")q.value=v;if(k==="hide")kinds.forEach(function(c){c.checked=v.split(",").indexOf(c.value)<0});
    if(k==="zoom"&&+v>0)z=+v});apply(true);if(z)zoom(z/box.k)}
    addEventListener("hashchange",read);
    addEventListener("resize",function(){tall();draw()});
    addEventListener("beforeprint",function(){svg.setAttribute("viewBox","0 0 "+W+" "+H);view.style.height="auto"});
    addEventListener("afterprint",function(){tall();draw()});
    tall();first();read()})();
    """#
}
