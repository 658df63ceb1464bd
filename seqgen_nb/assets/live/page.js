// The live page: its parts one after the other, light and dark, and an address that remembers the controls.
import {start} from './live.js'

const $ = id => document.getElementById(id), parts = []
const kept = () => new URLSearchParams(location.hash.slice(1, 2000))

$('theme').onclick = () => {
  const {dataset} = document.documentElement
  dataset.theme = dataset.theme === 'dark' ? 'light' : 'dark'
  try { localStorage.setItem('quarto-color-scheme', dataset.theme === 'dark' ? 'alternate' : 'default') } catch {}
}
addEventListener('storage', theme)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', theme)

for (const link of document.querySelectorAll('.book')) link.hidden = !/\/live\/(index\.html)?$/.test(location.pathname)
for (const place of document.querySelectorAll('.live-walk-full, .live-memory')) {
  const part = await start(place, kept())
  if (part) parts.push(part)
}
addEventListener('live-change', () => history.replaceState(null, '', '#' + new URLSearchParams(Object.assign({}, ...parts.map(part => part.state())))))
addEventListener('hashchange', () => {
  for (const part of parts) {
    part.recall(kept())
    part.again()
  }
})
$('n-latent').textContent = parts.flatMap(part => part.networks)[0]?.n_latent ?? 'many'
$('origin').textContent = parts.length ? `The networks: ${parts.flatMap(part => part.networks).map(network => network.origin).join('; ')}.` : ''
