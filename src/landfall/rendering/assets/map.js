// Draws every <div class="map"> from the JSON that it holds. Text reaches the page as text nodes only.
"use strict";
(() => {
  const REDRAW = "move zoomend resize viewreset";

  // Largest of 1, 2, 5 times a power of ten that is at most `most`.
  const roundStep = (most) => {
    const power = 10 ** Math.floor(Math.log10(most));
    return [5, 2, 1].find((times) => times * power <= most) * power;
  };

  const degreesText = (unwrapped, step, positive, negative) => {
    const value = unwrapped - 360 * Math.round(unwrapped / 360);
    const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    const side = Math.abs(value) < step / 2 ? "" : " " + (value > 0 ? positive : negative);
    return Math.abs(value).toFixed(decimals) + "°" + side;
  };
  const metresText = (value, step) =>
    step >= 1000 ? Math.round(value / 1000) + " km" : value.toFixed(step < 1 ? 1 : 0) + " m";

  // A canvas the size of the view, redrawn whenever that moves: lines at round coordinates, labelled at the left and
  // below, where the zoom buttons and the scale leave room.
  const Graticule = L.Layer.extend({
    initialize(planar) { this.planar = planar; },
    onAdd(map) {
      map.createPane("graticule").classList.add("leaflet-graticule-pane");
      this.canvas = L.DomUtil.create("canvas", "graticule", map.getPane("graticule"));
      map.on(REDRAW, this.draw, this);
      // The view scales between these two events while the canvas doesn't.
      map.on("zoomanim", this.hide, this);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
      this.draw();
    },
    onRemove(map) {
      this.canvas.remove();
      map.off(REDRAW, this.draw, this).off("zoomanim", this.hide, this);
    },
    hide() { this.canvas.style.visibility = "hidden"; },
    draw() {
      const map = this._map, size = map.getSize(), density = window.devicePixelRatio || 1;
      if (!size.x || !size.y) return;
      const canvas = this.canvas, pen = canvas.getContext("2d"), style = getComputedStyle(map.getContainer());
      canvas.style.visibility = "";
      canvas.width = size.x * density;
      canvas.height = size.y * density;
      canvas.style.width = size.x + "px";
      canvas.style.height = size.y + "px";
      L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
      pen.scale(density, density);
      pen.strokeStyle = style.getPropertyValue("--grid");
      pen.fillStyle = style.getPropertyValue("--grid-text");
      pen.font = "11px system-ui, sans-serif";

      const corner = map.containerPointToLatLng([0, size.y]), opposite = map.containerPointToLatLng([size.x, 0]);
      const limit = (value, most) => this.planar ? value : Math.max(-most, Math.min(most, value));
      const south = limit(corner.lat, 85), north = limit(opposite.lat, 85);
      const west = limit(corner.lng, 540), east = limit(opposite.lng, 540);
      // About five lines across the wider side, one step for both directions.
      const step = roundStep(Math.max((east - west) / size.x, (north - south) / size.y) * 180);
      const text = this.planar ? metresText : degreesText;
      pen.beginPath();
      for (let i = Math.ceil(west / step); i * step <= east; i++) {
        const x = Math.round(map.latLngToContainerPoint([south, i * step]).x) + 0.5;
        pen.moveTo(x, 0);
        pen.lineTo(x, size.y);
        if (x > 140) pen.fillText(text(i * step, step, "E", "W"), x + 4, size.y - 22);
      }
      for (let i = Math.ceil(south / step); i * step <= north; i++) {
        const y = Math.round(map.latLngToContainerPoint([i * step, west]).y) + 0.5;
        pen.moveTo(0, y);
        pen.lineTo(size.x, y);
        if (y > 95 && y < size.y - 40) pen.fillText(text(i * step, step, "N", "S"), 6, y - 4);
      }
      pen.stroke();
    },
  });

  const element = (tag, text, className) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const popupContent = (popup, images) => {
    const content = element("div");
    content.append(element("h3", popup.title), ...popup.lines.map((line) => element("p", line)));
    if (popup.thumbnails.length) {
      const row = element("div", "", "thumbnails");
      for (const [image, caption] of popup.thumbnails) {
        const figure = element("figure"), picture = element("img");
        picture.src = images[image];
        picture.alt = caption;
        figure.append(picture, element("figcaption", caption));
        row.append(figure);
      }
      content.append(row);
    }
    return content;
  };

  // Circles to scale lie under all points, so that none hides another's.
  const radii = (layer) => (layer.radius_m || []).flatMap((radius, i) => radius === null ? [] : [
    L.circle([layer.y[i], layer.x[i]], {
      radius, color: layer.color, weight: 1, opacity: 0.6, fillColor: layer.color, fillOpacity: 0.08,
      interactive: false,
    })]);

  const pointLayer = (layer, images, outline) => L.layerGroup([...radii(layer), ...layer.x.map((x, i) => {
    const marker = L.circleMarker([layer.y[i], x], {
      radius: layer.radius_px, color: outline, weight: 1, fillColor: layer.color, fillOpacity: 0.95,
      interactive: layer.popups.length > 0,
    });
    return layer.popups[i] ? marker.bindPopup(() => popupContent(layer.popups[i], images)) : marker;
  })]);

  const lineLayer = (layer) => L.layerGroup(layer.x.map((x, i) =>
    L.polyline([[layer.y[i], x], [layer.to_y[i], layer.to_x[i]]],
      { color: layer.color, weight: 2, opacity: 0.85, interactive: false })));

  const layerName = (layer) => {
    const name = element("span", "", "layer-name");
    const swatch = element("span", "", layer.kind === "lines" ? "swatch line" : "swatch");
    swatch.style.setProperty("--swatch", layer.color);
    name.append(swatch, element("span", layer.name), element("span", String(layer.x.length), "layer-count"));
    return name.outerHTML;
  };

  // Tiles stand above the grid, so that whatever of them is missing shows it. A server that answers none is given up.
  const addTiles = (map, tiles, grid) => {
    const note = L.control({ position: "bottomleft" });
    note.onAdd = () => element("div", "Map tiles can't be reached: plain grid", "map-note");
    let loaded = 0, failed = 0;
    const layer = L.tileLayer(tiles.url, {
      attribution: tiles.attribution, maxNativeZoom: tiles.max_zoom, maxZoom: 24,
      referrerPolicy: "strict-origin-when-cross-origin",
    });
    layer.on("tileload", () => { loaded++; note.remove(); });
    layer.on("tileerror", () => {
      failed++;
      if (loaded || failed < 4 || !map.hasLayer(layer)) return;
      failed = 0;
      // After Leaflet's own handling of this very event, which still needs the layer's map.
      setTimeout(() => { layer.remove(); grid.addTo(map); note.addTo(map); });
    });
    const start = () => { if (navigator.onLine) { grid.remove(); layer.addTo(map); } };
    if (navigator.onLine) start();
    else { grid.addTo(map); window.addEventListener("online", start, { once: true }); }
    return layer;
  };

  const drawMap = (container) => {
    const data = JSON.parse(container.querySelector("script").textContent);
    container.replaceChildren();
    const map = L.map(container, {
      crs: data.planar ? L.CRS.Simple : L.CRS.EPSG3857,
      renderer: L.canvas({ padding: 0.3, tolerance: matchMedia("(pointer: coarse)").matches ? 10 : 3 }),
      minZoom: data.planar ? -16 : 1, maxZoom: data.planar ? 8 : 22, zoomSnap: 0.5,
      worldCopyJump: !data.planar, attributionControl: false,
      // A page scrolls past a map inside it; a map that is the page zooms.
      scrollWheelZoom: container.closest(".full") !== null,
    });
    // Leaflet focuses the map when it is clicked; only who comes by the keyboard needs to see that.
    container.addEventListener("pointerdown", () => container.classList.add("pointed"), true);
    container.addEventListener("blur", () => container.classList.remove("pointed"));
    map.on("focus click", () => map.scrollWheelZoom.enable());
    map.fitBounds(data.bounds, { padding: [28, 28], maxZoom: data.planar ? 5 : 18, animate: false });
    new Graticule(data.planar).addTo(map);
    L.control.scale({ imperial: false, maxWidth: 130 }).addTo(map);
    const grid = L.layerGroup(), bases = {};
    if (data.tiles) {
      L.control.attribution({ prefix: false }).addTo(map);
      bases["Plain grid"] = grid;
      bases[data.tiles.name] = addTiles(map, data.tiles, grid);
    }
    const overlays = {}, outline = getComputedStyle(container).getPropertyValue("--outline");
    for (const layer of data.layers) {
      const drawn = layer.kind === "lines" ? lineLayer(layer) : pointLayer(layer, data.images, outline);
      overlays[layerName(layer)] = drawn;
      if (layer.shown) drawn.addTo(map);
    }
    L.control.layers(bases, overlays, { collapsed: container.clientWidth < 640, sortLayers: false }).addTo(map);
    container.dataset.ready = "true";
  };

  document.querySelectorAll("div.map").forEach(drawMap);
})();
