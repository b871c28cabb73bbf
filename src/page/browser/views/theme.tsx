// Dark or light: as the system has it, until somebody chooses.

import { useEffect, useState } from 'preact/hooks'

export function ThemeButton() {
  const [theme, setTheme] = useState(() =>
    matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark',
  )
  useEffect(() => {
    document.documentElement.dataset.theme = theme
  }, [theme])
  const other = theme === 'dark' ? 'light' : 'dark'
  return (
    <button type="button" class="theme" onClick={() => setTheme(other)} aria-label={`Show it ${other}`}>
      {theme === 'dark' ? '☀' : '☾'}
    </button>
  )
}
