"use strict";
// Nothing here is needed to read the page: a button that copies, and a hair line that
// tells the time and the nearest operation under the pointer.
(function () {
  var command = document.querySelector(".again pre");
  if (command && navigator.clipboard) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(command.textContent).then(
        function () { button.textContent = "Copied"; },
        function () { button.textContent = "Not copied"; });
    });
    command.parentNode.appendChild(button);
  }
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  });

  var plots = Array.prototype.slice.call(document.querySelectorAll("svg[data-end]"));
  var hairs = plots.map(function (svg) {
    var line = document.createElementNS(svg.namespaceURI, "path");
    line.setAttribute("class", "hair");
    svg.appendChild(line);
    return line;
  });
  function seconds(ms) { return (ms / 1000).toFixed(3) + " s"; }
  function wide(ms) { return ms < 1000 ? Number(ms.toPrecision(3)) + " ms" : Number((ms / 1000).toPrecision(3)) + " s"; }
  function nearest(svg, x, y) {
    var best = null, limit = 144;
    svg.querySelectorAll("path.point").forEach(function (path) {
      var off = path.classList.contains("cross") ? 3 : path.classList.contains("triangle") ? 3.5 : 0;
      (path.getAttribute("d").match(/M-?[\d.]+ -?[\d.]+/g) || []).forEach(function (m) {
        var at = m.slice(1).split(" "), dx = Number(at[0]) + off - x, dy = Number(at[1]) + off - y, d = dx * dx + dy * dy;
        if (d < limit) { limit = d; best = { x: x + dx, y: y + dy, what: off === 0 ? "ok" : off === 3 ? "unknown" : "refused" }; }
      });
    });
    return best;
  }
  plots.forEach(function (svg) {
    var box = svg.viewBox.baseVal, end = Number(svg.dataset.end);
    var out = document.getElementById(svg.dataset.readout);
    svg.addEventListener("pointermove", function (e) {
      var r = svg.getBoundingClientRect();
      var x = (e.clientX - r.left) / r.width * box.width, y = (e.clientY - r.top) / r.height * box.height;
      hairs.forEach(function (h, i) { h.setAttribute("d", "M" + x + " 0V" + plots[i].viewBox.baseVal.height); });
      var text = seconds(x / box.width * end);
      var title = e.target.querySelector && e.target.querySelector("title");
      if (title) { text += " — " + title.textContent; }
      var p = svg.dataset.panel ? nearest(svg, x, y) : null;
      if (p) {
        var panel = Number(svg.dataset.panel), pad = Number(svg.dataset.pad), low = Number(svg.dataset.low), high = Number(svg.dataset.high);
        var share = 1 - (p.y % panel - pad) / (panel - 2 * pad);
        text = seconds(p.x / box.width * end) + " — " + p.what + ", about " + wide(Math.pow(10, low + share * (high - low) - 6));
      }
      out.textContent = text;
    });
    svg.addEventListener("pointerleave", function () {
      hairs.forEach(function (h) { h.removeAttribute("d"); });
      out.textContent = "";
    });
  });
})();
