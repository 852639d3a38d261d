// The page's frame: views by the address after '#', language, colours, signing in.

import {access, call, key, setKey} from './api.js';
import {el, icon, replace} from './dom.js';
import {explain} from './notice.js';
import './search.js';
import {language, setLanguage, texts} from './text.js';

const t = texts({
  en: {
    skip: 'Skip to content',
    views: 'Views',
    search: 'Search',
    chat: 'Chat',
    catalog: 'Catalog',
    language: 'Language',
    theme: 'Colours: {now}. Change to {next}',
    auto: 'as the system',
    light: 'light',
    dark: 'dark',
    signOut: 'Sign out',
    signIn: 'Sign in',
    signInHelp: 'This server asks for an API key. It is kept in this tab until you close it.',
    apiKey: 'API key',
    signInFailed: 'The server did not accept this key.',
    outdated: 'The server has a newer page',
    reload: 'Load it',
  },
  es: {
    skip: 'Ir al contenido',
    views: 'Vistas',
    search: 'Buscar',
    chat: 'Chat',
    catalog: 'Catálogo',
    language: 'Idioma',
    theme: 'Colores: {now}. Cambiar a {next}',
    auto: 'como el sistema',
    light: 'claro',
    dark: 'oscuro',
    signOut: 'Salir',
    signIn: 'Entrar',
    signInHelp: 'Este servidor pide una clave de API. Se guarda en esta pestaña hasta que la cierre.',
    apiKey: 'Clave de API',
    signInFailed: 'El servidor no aceptó esta clave.',
    outdated: 'El servidor tiene una página más nueva',
    reload: 'Cargarla',
  },
});

/** Of each view its element, and the module that defines it where it is not here from the start. */
const views = {
  search: {tag: 'decant-search', icon: 'search', load: async () => {}},
  chat: {tag: 'decant-chat', icon: 'chat', load: () => import('./chat.js')},
  catalog: {tag: 'decant-catalog', icon: 'chart', load: () => import('./catalog.js')},
};
const themes = ['auto', 'light', 'dark'];
const themeIcons = {auto: 'contrast', light: 'sun', dark: 'moon'};

const main = el('main', {id: 'content', tabindex: -1});
const header = el('header', {class: 'top'});
let shown = '';
let mustSignIn = document.documentElement.dataset.access === 'key' && !key();

function currentView() {
  const name = location.hash.replace(/^#\/?/, '').split('?')[0];
  return name in views ? name : 'search';
}

function currentTheme() {
  return document.documentElement.dataset.theme ?? 'auto';
}

function setTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem('decant.theme', theme);
  } catch {
    // It holds until the page is left.
  }
  document.dispatchEvent(new Event('decant-theme'));
}

function drawHeader() {
  const links = Object.entries(views).map(([name, view]) =>
    el('a', {href: `#/${name}`, 'aria-current': name === currentView() ? 'page' : null}, icon(view.icon), el('span', {}, t(name))));
  const theme = currentTheme();
  replace(header,
    el('a', {class: 'skip', href: '#content', onclick: skip}, t('skip')),
    el('a', {class: 'brand', href: '#/search'}, 'decant'),
    mustSignIn ? null : el('nav', {'aria-label': t('views')}, links),
    el('div', {class: 'settings'}, languageChoice(), themeButton(),
      key() ? el('button', {type: 'button', class: 'quiet', onclick: signOut}, t('signOut')) : null));
}

function languageChoice() {
  const select = el('select', {'aria-label': t('language'), onchange: () => {
    setLanguage(select.value);
    draw({again: true}).then(() => header.querySelector('select').focus());
  }}, [['es', 'Español'], ['en', 'English']].map(([value, text]) => el('option', {value, selected: value === language(), lang: value}, text)));
  return select;
}

function themeButton() {
  const now = currentTheme();
  const next = themes[(themes.indexOf(now) + 1) % themes.length];
  const label = t('theme', {now: t(now), next: t(next)});
  return el('button', {type: 'button', class: 'quiet theme', 'aria-label': label, title: label, onclick: () => {
    setTheme(next);
    drawHeader();
    header.querySelector('.theme').focus();
  }}, icon(themeIcons[now]));
}

function skip(event) {
  event.preventDefault();
  main.focus();
}

function signOut() {
  setKey('');
  main.replaceChildren(); // a view that goes may keep what it shows
  sessionStorage.clear();
  mustSignIn = document.documentElement.dataset.access === 'key';
  draw({again: true});
}

function signInForm(wasRefused) {
  const failed = el('p', {class: 'error', role: 'alert', id: 'sign-in-error'}, wasRefused ? t('signInFailed') : '');
  const input = el('input', {
    id: 'api-key', type: 'password', name: 'key', required: true, autocomplete: 'off', spellcheck: 'false',
    'aria-describedby': 'sign-in-help sign-in-error',
  });
  const button = el('button', {type: 'submit', class: 'primary'}, t('signIn'));
  const submit = async (event) => {
    event.preventDefault();
    const given = input.value.trim();
    button.disabled = true;
    failed.textContent = '';
    try {
      await call('/api/v1/pgvector/health', {withKey: given});
    } catch (error) {
      // A key without that scope, or a server that cannot answer now, does not make the key wrong.
      if (error.status === 401 || error.status === 0 || error.status === 429) {
        failed.textContent = error.status === 401 ? t('signInFailed') : explain(error).join('. ');
        button.disabled = false;
        input.select();
        return;
      }
    }
    setKey(given);
    mustSignIn = false;
    draw({again: true});
    main.focus();
  };
  return el('form', {class: 'panel sign-in', onsubmit: submit},
    el('h1', {}, t('signIn')),
    el('p', {id: 'sign-in-help'}, t('signInHelp')),
    el('label', {for: 'api-key'}, t('apiKey')),
    input, button, failed);
}

/** A page that was open while the server changed cannot load the rest of itself. */
function outdated() {
  return el('div', {class: 'notice', role: 'alert'},
    el('h2', {}, t('outdated')),
    el('button', {type: 'button', class: 'primary', onclick: () => location.reload()}, t('reload')));
}

async function draw({again = false, refused = false} = {}) {
  drawHeader();
  const name = currentView();
  document.title = mustSignIn ? `${t('signIn')} · decant` : `${t(name)} · decant`;
  document.documentElement.dataset.view = mustSignIn ? 'sign-in' : name;
  if (mustSignIn) {
    shown = '';
    replace(main, signInForm(refused));
    main.querySelector('input').focus();
    return;
  }
  if (name === shown && !again) return;
  shown = name;
  try {
    await views[name].load();
  } catch {
    replace(main, outdated());
    shown = '';
    return;
  }
  if (shown === name) replace(main, document.createElement(views[name].tag));
}

access.addEventListener('refused', () => {
  const wasGiven = Boolean(key());
  if (mustSignIn) return;
  setKey('');
  mustSignIn = true;
  draw({refused: wasGiven});
});
addEventListener('hashchange', () => {
  const before = shown;
  draw().then(() => {
    if (before && before !== shown) main.focus();
  });
});
document.body.append(header, main);
draw();
