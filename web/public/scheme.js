// Paints the right colour scheme before React starts. A file of its own, so that the policy `script-src 'self'` needs no exception.
try {
  var scheme = localStorage.getItem('mantine-color-scheme-value') || 'auto'
  if (scheme === 'auto') scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme)
} catch {
  document.documentElement.setAttribute('data-mantine-color-scheme', 'light')
}
