// Before the first paint: the language and the colours that were chosen here before.
'use strict';
{
  const root = document.documentElement;
  try {
    const language = localStorage.getItem('decant.language');
    if (language === 'es' || language === 'en') root.lang = language;
    const theme = localStorage.getItem('decant.theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch {
    // Storage may be switched off: then the browser's preferences hold.
  }
}
