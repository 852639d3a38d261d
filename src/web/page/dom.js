// Elements. Text is only ever set as text: nothing here parses HTML.

const svgNamespace = 'http://www.w3.org/2000/svg';

/** el('p', {class: 'x', onclick: f, hidden: true}, 'text', child, [children], null) */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name === 'class' ? 'class' : name, value === true ? '' : value);
  }
  node.append(...kept(children));
  return node;
}

export function replace(node, ...children) {
  node.replaceChildren(...kept(children));
  return node;
}

function kept(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

const icons = {
  search: 'M10.5 3.5a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM15.6 15.6 21 21',
  chat: 'M4 5h16v11H9.5L4 20z',
  chart: 'M4 20V4M4 20h16M8.5 16v-5M13 16V7.5M17.5 16v-3',
  sun: 'M12 7.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM12 1.8v2M12 20.2v2M1.8 12h2M20.2 12h2M4.8 4.8l1.4 1.4M17.8 17.8l1.4 1.4M4.8 19.2l1.4-1.4M17.8 6.2l1.4-1.4',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  contrast: 'M12 3.5a8.5 8.5 0 1 0 0 17zM12 3.5a8.5 8.5 0 0 1 0 17',
  close: 'M6 6l12 12M18 6 6 18',
  send: 'M4 12 20 4l-5 16-3.5-6.5z',
  stop: 'M5 5h14v14H5z',
  again: 'M20 5v5h-5M19.5 10A8 8 0 1 0 20 14',
  up: 'M7 11v9H3.5v-9zM7 11l4-8c1.8 0 2.8 1.2 2.5 3L13 9.5h6c1.2 0 2 1 1.7 2.2l-1.6 6.6a2.2 2.2 0 0 1-2.1 1.7H7',
  down: 'M17 13V4h3.5v9zM17 13l-4 8c-1.8 0-2.8-1.2-2.5-3l.5-3.5H5c-1.2 0-2-1-1.7-2.2L4.9 5.7A2.2 2.2 0 0 1 7 4h10',
  table: 'M4 5h16v14H4zM4 10h16M4 14.5h16M10 10v9',
  download: 'M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 19.5h14',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4.5v15l12-7.5z',
  similar: 'M4 4h11v11H4zM9 19.5h10.5V9',
  compare: 'M12 3v18M4 7h4.5M4 12h4.5M4 17h4.5M15.5 7H20M15.5 12H20M15.5 17H20',
};

/** A drawing that says nothing by itself: its button or heading names it. */
export function icon(name) {
  const svg = document.createElementNS(svgNamespace, 'svg');
  for (const [key, value] of Object.entries({viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true', focusable: 'false'}))
    svg.setAttribute(key, value);
  const path = document.createElementNS(svgNamespace, 'path');
  path.setAttribute('d', icons[name]);
  svg.append(path);
  return svg;
}

/** Loads a style sheet of the page; ends when it holds, so that nothing is shown without it. */
export function styleSheet(name) {
  return new Promise((resolve) => {
    document.head.append(el('link', {rel: 'stylesheet', href: new URL(name, import.meta.url).pathname, onload: resolve, onerror: resolve}));
  });
}

/** Loads a script that is no module. */
export function classicScript(name) {
  return new Promise((resolve, reject) => {
    document.head.append(el('script', {src: new URL(name, import.meta.url).pathname, onload: resolve, onerror: reject}));
  });
}

/** Runs `work` once, when it has not been asked for again for `milliseconds`. */
export function debounced(work, milliseconds) {
  let timer = 0;
  const ask = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), typeof milliseconds === 'function' ? milliseconds() : milliseconds);
  };
  ask.cancel = () => clearTimeout(timer);
  return ask;
}
