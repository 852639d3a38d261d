// What the page says, in the language of <html lang>, and figures as that language writes them.

const locales = {es: 'es-AR', en: 'en-US'};

export function language() {
  return document.documentElement.lang === 'es' ? 'es' : 'en';
}

export function setLanguage(chosen) {
  document.documentElement.lang = chosen;
  try {
    localStorage.setItem('decant.language', chosen);
  } catch {
    // It holds until the page is left.
  }
}

/**
 * The texts of a view: texts({en: {found: {one: '{n} product', other: '{n} products'}}, es: {…}}) gives
 * t('found', {n: 3}). Both languages have the same keys.
 */
export function texts(all) {
  return (key, values = {}) => {
    const text = all[language()][key];
    if (text === undefined) throw new Error(`no text named ${key}`);
    const form = typeof text === 'string' ? text : text[new Intl.PluralRules(language()).select(values.n)] ?? text.other;
    return form.replace(/\{(\w+)\}/g, (whole, name) => {
      const value = values[name];
      return value === undefined ? whole : typeof value === 'number' ? number(value) : value;
    });
  };
}

/** Of es-AR Chromium writes hours as "p. m.", which nobody there does. */
const always = {es: {DateTimeFormat: {hourCycle: 'h23'}}, en: {}};
const formats = new Map();

function format(kind, options) {
  const key = language() + kind + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl[kind](locales[language()], {...options, ...always[language()][kind]}));
  return formats.get(key);
}

export const number = (value, digits = 0) => format('NumberFormat', {maximumFractionDigits: digits}).format(value);
export const percent = (share, digits = 0) =>
  format('NumberFormat', {style: 'percent', maximumFractionDigits: digits}).format(share);

export function money(value) {
  const cents = Number.isInteger(value) ? 0 : 2;
  return '$' + format('NumberFormat', {minimumFractionDigits: cents, maximumFractionDigits: 2}).format(value);
}

export function milliseconds(value) {
  if (value === null || value === undefined) return '–';
  return value >= 1000 ? `${number(value / 1000, 1)} s` : `${number(value, value < 10 ? 1 : 0)} ms`;
}

export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let size = value;
  for (; size >= 1024 && unit < units.length - 1; ++unit) size /= 1024;
  return `${number(size, unit === 0 || size >= 100 ? 0 : 1)} ${units[unit]}`;
}

export const dateTime = (time) => format('DateTimeFormat', {dateStyle: 'medium', timeStyle: 'short'}).format(new Date(time));
export const clock = (time) => format('DateTimeFormat', {hour: '2-digit', minute: '2-digit'}).format(new Date(time));
export const clockSeconds = (time) => format('DateTimeFormat', {timeStyle: 'medium'}).format(new Date(time));
export const shortTime = (time) => format('DateTimeFormat', {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'}).format(new Date(time));

/** "3 minutes ago" */
export function ago(time) {
  const seconds = (new Date(time).getTime() - Date.now()) / 1000;
  const steps = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
  const [unit, span] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? steps[3];
  return format('RelativeTimeFormat', {numeric: 'auto'}).format(Math.trunc(seconds / span), unit);
}
