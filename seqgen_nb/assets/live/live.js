// Generators and LSTMs of the book in the browser. live.json says which there are; onnxruntime-web runs the generators.
const $ = id => document.getElementById(id)
const SIDE = 28, STEPS = 10, SHEET = 25, DRAWN = 40, REACH = 3, SLICE = 20
const live = window.live = {drawn: 0, answered: '', busy: () => drawing || loading > 0, reading: false, generate, latents, listen, logitsAfter}  // for tests, and for curious readers
let ort, about

// ---- messages, light and dark ----

function say(text, bad = false, where = 'message') {
  $(where).textContent = text
  $(where).classList.toggle('error', bad)
}

$('theme').onclick = () => {
  const {dataset} = document.documentElement
  dataset.theme = dataset.theme === 'dark' ? 'light' : 'dark'
  try { localStorage.setItem('quarto-color-scheme', dataset.theme === 'dark' ? 'alternate' : 'default') } catch {}
}
addEventListener('storage', theme)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', theme)

// ---- random numbers: those of torch.randn(n, size, generator=torch.Generator().manual_seed(seed)), for 16 or more ----

function twister(seed) {
  const s = new Uint32Array(624)
  s[0] = seed
  for (let i = 1; i < 624; i++) s[i] = Math.imul(1812433253, s[i - 1] ^ s[i - 1] >>> 30) + i
  let at = 624
  return () => {
    if (at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = s[i] & 0x80000000 | s[(i + 1) % 624] & 0x7fffffff
        s[i] = s[(i + 397) % 624] ^ y >>> 1 ^ (y & 1 ? 0x9908b0df : 0)
      }
      at = 0
    }
    let y = s[at++]
    y ^= y >>> 11
    y ^= y << 7 & 0x9d2c5680
    y ^= y << 15 & 0xefc60000
    return (y ^ y >>> 18) >>> 0
  }
}

function latents(n, size, seed) {
  const bits = twister(seed), z = new Float32Array(n*size)
  const uniform = () => (bits() & 0xffffff)/2**24
  const boxMuller = start => {
    for (let i = start; i < start + 8; i++) {
      const radius = Math.sqrt(-2*Math.log(1 - z[i])), angle = 2*Math.PI*z[i + 8]
      z[i] = radius*Math.cos(angle)
      z[i + 8] = radius*Math.sin(angle)
    }
  }
  for (let i = 0; i < z.length; i++) z[i] = uniform()
  for (let i = 0; i <= z.length - 16; i += 16) boxMuller(i)
  if (z.length % 16) {
    for (let i = z.length - 16; i < z.length; i++) z[i] = uniform()
    boxMuller(z.length - 16)
  }
  return z
}

// ---- the two walks ----

const dot = (a, b) => a.reduce((sum, v, i) => sum + v*b[i], 0)
const mix = (a, b, p, q) => a.map((v, i) => p*v + q*b[i])
const lerp = (a, b, t) => mix(a, b, 1 - t, t)

function slerp(a, b, t) {
  const omega = Math.acos(Math.max(-1, Math.min(1, dot(a, b)/Math.sqrt(dot(a, a)*dot(b, b)))))
  if (omega < 1e-3 || omega > Math.PI - 1e-3) return lerp(a, b, t)
  return mix(a, b, Math.sin((1 - t)*omega)/Math.sin(omega), Math.sin(t*omega)/Math.sin(omega))
}

// ---- networks ----

const sessions = {}

function session(name) {
  return sessions[name] ??= ort.InferenceSession.create(`${name}.onnx`).catch(error => {
    delete sessions[name]
    throw new Error(`${name}.onnx could not be loaded (${error.message})`)
  })
}

async function run(name, inputs) {
  const tensors = Object.entries(inputs).map(([key, [data, ...shape]]) => [key, new ort.Tensor('float32', data, shape)])
  return (await session(name)).run(Object.fromEntries(tensors))
}

async function generate(name, z) {
  const size = about.generators.find(g => g.name === name).n_latent
  return (await run(name, {z: [Float32Array.from(z), z.length/size, size]})).images.data
}

// ---- pictures ----

function paint(canvas, images, columns = 1, gap = 0) {
  const n = images.length/SIDE**2, rows = n/columns, width = columns*(SIDE + gap) - gap, height = rows*(SIDE + gap) - gap
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height]
  const context = canvas.getContext('2d'), picture = context.createImageData(SIDE, SIDE)
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < SIDE**2; i++) {
      const grey = Math.round((images[k*SIDE**2 + i] + 1)*127.5)
      picture.data.fill(grey, 4*i, 4*i + 3)
      picture.data[4*i + 3] = 255
    }
    context.putImageData(picture, k % columns*(SIDE + gap), Math.floor(k/columns)*(SIDE + gap))
  }
}

function save(canvas, name) {
  const large = document.createElement('canvas'), scale = 8
  ;[large.width, large.height] = [scale*canvas.width, scale*canvas.height]
  const context = large.getContext('2d')
  context.fillStyle = '#fff'
  context.fillRect(0, 0, large.width, large.height)
  context.imageSmoothingEnabled = false
  context.drawImage(canvas, 0, 0, large.width, large.height)
  large.toBlob(blob => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `${name}.png`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }, 'image/png')
}

// ---- the controls say what to draw ----

const seeds = {a: 0, b: 1, sheet: 0}
const chosen = name => document.querySelector(`input[name=${name}]:checked`).value
const generator = () => about.generators.find(g => g.name === chosen('gan'))
const pushes = () => [...$('directions').querySelectorAll('input')].map(input => +input.value)
const flat = rows => Float32Array.from(rows.flatMap(row => [...row]))

function walk(ts) {
  const way = chosen('how') === 'linear' ? lerp : slerp
  const [a, b] = [seeds.a, seeds.b].map(seed => latents(1, generator().n_latent, seed))
  return ts.map(t => way(a, b, t))
}

function bent() {
  const [z] = walk([+$('t').value])
  return pushes().reduce((z, push, i) => push ? mix(z, generator().directions[i], 1, push) : z, z)
}

// ---- drawing: at most once a frame, and always what the controls say by then ----

const parts = {
  now: async name => {
    paint($('now'), await generate(name, bent()))
    if (!live.drawn++) performance.mark('first-picture')
  },
  ends: async name => {
    const images = await generate(name, flat(walk([0, 1])))
    paint($('end-a'), images.subarray(0, SIDE**2))
    paint($('end-b'), images.subarray(SIDE**2))
  },
  strip: async name => paint($('strip'), await generate(name, flat(walk([...Array(STEPS).keys()].map(i => i/(STEPS - 1))))), STEPS, 2),
  sheet: async name => paint($('sheet'), await generate(name, latents(SHEET, generator().n_latent, seeds.sheet)), 5, 2),
}
const stale = new Set(), loaded = new Set()
let drawing = false, loading = 0

async function choose() {
  const {name, title, bytes} = generator(), wanted = () => generator().name === name
  loading++
  try {
    if (!loaded.has(name)) say(`Loading the ${title} (${(bytes/1e6).toFixed(1)} MB)…`)
    await session(name)
    loaded.add(name)
    if (!wanted()) return
    say('')
    draw(...Object.keys(parts))
  } catch (error) {
    if (wanted()) say(`${error.message}. Choose another network, or reload the page to try again.`, true)
  } finally { loading-- }
}

function draw(...names) {
  names.forEach(name => stale.add(name))
  if (drawing) return
  drawing = true
  requestAnimationFrame(refresh)
}

async function refresh() {
  const {name} = generator()
  try {
    for (const part of Object.keys(parts)) if (generator().name === name && stale.delete(part) && loaded.has(name)) await parts[part](name)
  } catch (error) {
    stale.clear()
    say(`The picture cannot be drawn: ${error.message}. Reload the page to try again.`, true)
  } finally {
    drawing = false
    if (stale.size) draw()
  }
}

// ---- controls: what they set off; the page's address remembers them ----

function newSeed(which, complete = true) {
  const input = $(`seed-${which}`), good = input.checkValidity()
  if (!good && !complete) return
  input.setAttribute('aria-invalid', !good)
  say(good ? '' : 'A seed is a whole number from 0 to 999,999.', !good, which === 'sheet' ? 'sheet-message' : 'walk-message')
  if (!good || seeds[which] === +input.value) return
  seeds[which] = +input.value
  draw(...which === 'sheet' ? ['sheet'] : ['ends', 'now', 'strip'])
}

function remember() {
  const state = {gan: chosen('gan'), how: chosen('how'), memory: chosen('memory'), ...seeds, t: $('t').value, bend: pushes().join(' ')}
  history.replaceState(null, '', '#' + new URLSearchParams(state))
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1))
  for (const name of ['gan', 'how', 'memory']) {
    const radios = [...document.getElementsByName(name)]
    ;(radios.find(radio => radio.value === state.get(name)) ?? radios[0]).checked = true
  }
  for (const which in seeds) {
    const input = $(`seed-${which}`), kept = state.get(which)
    input.value = /^\d+$/.test(kept) && +kept <= input.max ? kept : input.defaultValue
    seeds[which] = +input.value
  }
  const t = parseFloat(state.get('t'))
  $('t').value = t >= 0 && t <= 1 ? t : $('t').defaultValue
  const bend = (state.get('bend') ?? '').split(' ')
  $('directions').querySelectorAll('input').forEach((input, i) => input.value = parseFloat(bend[i]) || 0)
}

function build() {
  for (const [i, {name, title}] of about.generators.entries()) {
    $('gan').insertAdjacentHTML('beforeend', `<label><input type="radio" name="gan" value="${name}"${i ? '' : ' checked'}><span>${title}</span></label>`)
  }
  for (const [i, {name, title}] of about.memories.entries()) {
    $('memories').insertAdjacentHTML('beforeend', `<label><input type="radio" name="memory" value="${name}"${i ? '' : ' checked'}><span>${title}</span></label>`)
  }
  for (const i of about.generators[0].directions.keys()) {
    $('directions').insertAdjacentHTML('beforeend', `<label><input type="range" min="${-REACH}" max="${REACH}" step="0.05" value="0" aria-label="Direction ${i + 1}">${i + 1}</label>`)
  }
  $('n-latent').textContent = about.generators[0].n_latent
  $('origin').textContent = 'The networks: ' + [...about.generators, ...about.memories].map(network => network.origin).join('; ') + '.'
  $('runtime').textContent = `Computed by ${about.runtime}. `
  $('chapter').hidden = !/\/live\/(index\.html)?$/.test(location.pathname)
}

function connect() {
  for (const radio of document.getElementsByName('gan')) radio.onchange = choose
  for (const radio of document.getElementsByName('how')) radio.onchange = () => draw('now', 'strip')
  $('t').oninput = () => draw('now')
  $('directions').oninput = () => draw('now')
  $('straight').onclick = () => {
    $('directions').querySelectorAll('input').forEach(input => input.value = 0)
    draw('now')
    remember()
  }
  for (const which in seeds) {
    $(`seed-${which}`).oninput = () => newSeed(which, false)
    $(`seed-${which}`).onchange = () => newSeed(which)
    $(`new-${which}`).onclick = () => {
      $(`seed-${which}`).value = Math.floor(Math.random()*1e6)
      newSeed(which)
      remember()
    }
  }
  for (const button of document.querySelectorAll('[data-save]')) button.onclick = () => save($(button.dataset.save), `${chosen('gan')}-${button.dataset.save}`)
  for (const radio of document.getElementsByName('memory')) radio.onchange = answer
  $('digits').oninput = answer
  $('new-digits').onclick = randomPalindrome
  $('lstm').onsubmit = event => event.preventDefault()
  addEventListener('change', remember)
  addEventListener('hashchange', () => {
    recall()
    choose()
    answer()
  })
}

// ---- the LSTMs: one step a digit, in plain JavaScript ----

const softmax = logits => {
  const top = Math.max(...logits), e = [...logits].map(v => Math.exp(v - top)), sum = e.reduce((a, b) => a + b)
  return e.map(v => v/sum)
}
const sigmoid = v => 1/(1 + Math.exp(-v))
const memory = () => about.memories.find(m => m.name === chosen('memory'))
const weights = {}

async function fetchWeights({name, base, n_hidden}) {
  const response = await fetch(`${name}.bin`)
  if (!response.ok) throw new Error(`${name}.bin could not be loaded (${response.status})`)
  const all = new Float32Array(await response.arrayBuffer()), n = n_hidden
  let at = 0
  const take = size => all.subarray(at, at += size)
  return {base, n, fromX: take(4*base*n), fromH: take(4*n*n), head: take(base*n), bias: take(base)}
}

function weightsOf(network) {
  return weights[network.name] ??= fetchWeights(network).catch(error => {
    delete weights[network.name]
    throw error
  })
}

class Reader {
  constructor(w) {
    this.w = w
    ;[this.h, this.c, this.a] = [w.n, w.n, 4*w.n].map(size => new Float64Array(size))
  }

  read(digit) {
    const {n, fromX, fromH} = this.w, {h, c, a} = this
    for (let j = 0; j < 4*n; j++) {
      let sum = fromX[digit*4*n + j]
      for (let k = 0, row = j*n; k < n; k++) sum += fromH[row + k]*h[k]
      a[j] = sum
    }
    for (let k = 0; k < n; k++) {
      c[k] = sigmoid(a[n + k])*c[k] + sigmoid(a[k])*Math.tanh(a[3*n + k])
      h[k] = sigmoid(a[2*n + k])*Math.tanh(c[k])
    }
  }

  logits() {
    const {base, n, head, bias} = this.w
    return Array.from({length: base}, (_, digit) => this.h.reduce((sum, v, k) => sum + head[digit*n + k]*v, bias[digit]))
  }
}

// The logits after all digits. Every 20 ms the page gets a turn; `goOn` is told how far it has come and may stop it.
async function logitsAfter(network, digits, goOn = () => true) {
  const reader = new Reader(await weightsOf(network))
  let pause = performance.now() + SLICE
  for (let t = 0; t < digits.length; t++) {
    reader.read(digits[t])
    if (t % 64 === 0 && performance.now() > pause) {
      if (!goOn(t)) return null
      await new Promise(resolve => setTimeout(resolve))
      pause = performance.now() + SLICE
    }
  }
  return goOn(digits.length) ? reader.logits() : null
}

// After each digit: the answer, and how far apart the states of all possible first digits are.
async function listen(network, digits) {
  const w = await weightsOf(network), readers = Array.from({length: w.base}, () => new Reader(w)), answers = [], apart = []
  for (const [t, digit] of digits.entries()) {
    readers.forEach((reader, first) => reader.read(t ? digit : first))
    answers.push(softmax(readers[digits[0]].logits()))
    apart.push(meanDistance(readers.flatMap(reader => [...reader.h]), w.base, w.n))
  }
  return {answers, apart}
}

function meanDistance(rows, n, size) {
  let sum = 0
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) {
    let square = 0
    for (let k = 0; k < size; k++) square += (rows[i*size + k] - rows[j*size + k])**2
    sum += Math.sqrt(square)
  }
  return sum/(n*(n - 1)/2)
}

const W = 20, H = 14, LEFT = 18
const x = t => LEFT + t*W
const text = (x, y, what) => `<text x="${x}" y="${y}" text-anchor="middle">${what}</text>`

function chart(id, digits, height, inside, label) {
  const width = LEFT + digits.length*W + 2
  $(id).innerHTML = `<svg viewBox="0 0 ${width} ${height + 18}" style="min-width:${Math.round(.75*width)}px;max-width:${Math.round(1.3*width)}px" role="img" aria-label="${label}">${inside}${
    digits.map((digit, t) => text(x(t) + W/2, height + 13, digit)).join('')}</svg>`
}

function drawMemory(digits, {answers, apart}) {
  const {base} = memory(), percent = p => (100*p).toFixed(0)
  const cells = answers.flatMap((row, t) => row.map((p, digit) => `<rect class="cell" x="${x(t)}" y="${digit*H}" width="${W - 1}" height="${H - 1}" opacity="${(.04 + .96*p).toFixed(3)}"><title>after ${t + 1}: ${digit} with ${percent(p)} %</title></rect>`))
  const names = [...Array(base).keys()].map(digit => text(7, digit*H + 11, digit))
  const frame = `<rect class="frame" x="${LEFT - 1}" y="${digits[0]*H - 1}" width="${digits.length*W + 1}" height="${H + 1}" rx="2"/>`
  chart('answers', digits, base*H, cells.join('') + names.join('') + frame,
    `Probability of ${digits[0]}, the first digit, after each digit, in percent: ${answers.map(row => percent(row[digits[0]])).join(', ')}`)
  const scale = 56/Math.max(...apart)
  const bars = apart.map((d, t) => `<rect class="cell" x="${x(t) + 2}" y="${60 - d*scale}" width="${W - 5}" height="${d*scale}" rx="1"><title>${d.toFixed(2)}</title></rect>`)
  chart('apart', digits, 62, bars.join(''), `Mean distance of the hidden states after each digit: ${apart.map(d => d.toFixed(1)).join(', ')}`)
}

const isPalindrome = digits => digits.every((digit, i) => digit === digits[digits.length - 1 - i])
const count = n => n.toLocaleString('en')

function verdict(digits, logits) {
  const answer = logits.indexOf(Math.max(...logits)), right = answer === digits[0]
  const ahead = logits[answer] - Math.max(...logits.filter((_, digit) => digit !== answer))
  return `After ${count(digits.length)} digit${digits.length > 1 ? 's' : ''} it answers <b>${answer}</b>, ${ahead.toFixed(1)} logits ahead of the next. ` + (isPalindrome(digits.slice(1))
    ? right ? 'Right: that completes the palindrome.' : `Wrong: the palindrome ends in ${digits[0]}.`
    : `${right ? 'Right' : 'Wrong'}: the first digit was ${digits[0]}. No digit makes a palindrome of these.`)
}

function promise(network, n) {
  const {certificate, trained_on, right, tried} = network
  if (certificate) return `Proved for every string of digits, of every length: it names the first digit, by at least ${certificate.margin.toFixed(2)} logits. The latch closes after ${certificate.steps} digits, with ${certificate.latched} or more of its ${network.n_hidden} units latched.`
  const often = n > right.length ? '' : ` Given ${n}, it completes ${right[n - 1] === 1 ? 'all' : Math.round(tried*right[n - 1])} of ${count(tried)} random palindromes.`
  return `Nothing is proved of it. It always had ${trained_on} digits in training.${often}`
}

function refuse(why) {
  $('digits').setAttribute('aria-invalid', Boolean(why))
  $('verdict').classList.toggle('error', Boolean(why))
  if (why) $('verdict').textContent = why
  $('memory').hidden = $('promise').hidden = Boolean(why)
}

function parseDigits(text, base) {
  const digits = new Uint16Array(text.length)
  for (let i = 0; i < text.length; i++) digits[i] = text.charCodeAt(i) - 48
  return digits.every(digit => digit < base) ? [...digits] : null
}

let asked = 0

async function answer() {
  const mine = ++asked, network = memory(), said = $('digits').value.replace(/\s/g, ''), digits = parseDigits(said, network.base)
  live.answered = ''
  if (!said) return refuse('Type some digits, or take a random palindrome.')
  if (!digits) return refuse(`It reads digits from 0 to ${network.base - 1} only.`)
  const goOn = read => {
    if (mine !== asked) return false
    if (read < digits.length) {
      live.reading = true
      $('verdict').classList.remove('error')
      $('verdict').textContent = `${count(read)} of ${count(digits.length)} digits read…`
    }
    return true
  }
  try {
    const logits = await logitsAfter(network, digits, goOn)
    if (!logits) return
    live.reading = false
    refuse('')
    $('verdict').innerHTML = verdict(digits, logits)
    $('promise').textContent = promise(network, digits.length)
    $('memory').hidden = digits.length > DRAWN
    if (digits.length <= DRAWN) drawMemory(digits, await listen(network, digits))
    live.answered = `${network.name} ${said}`
  } catch (error) {
    if (mine === asked) refuse(`The LSTM cannot answer: ${error.message}. Reload the page to try again.`)
  }
}

function randomPalindrome() {
  const {base} = memory(), length = +$('length').value
  const half = Array.from({length: Math.ceil(length/2)}, () => Math.floor(Math.random()*base))
  const whole = Array.from({length}, (_, i) => half[Math.min(i, length - 1 - i)])
  $('digits').value = whole.slice(0, -1).join('')
  answer()
}

// ---- start: one generator first, the rest once it has drawn ----

async function describe() {
  const response = await fetch('live.json')
  if (!response.ok) throw new Error(`live.json is missing (${response.status})`)
  return response.json()
}

async function start() {
  if (typeof WebAssembly !== 'object') throw new Error('this browser has no WebAssembly, or it is switched off, and the networks need it. Another browser will do')
  ;[ort, about] = await Promise.all([import('./ort.wasm.bundle.min.mjs'), describe()])
  ort.env.wasm.numThreads = 1
  build()
  recall()
  connect()
  await choose()
  await new Promise(requestAnimationFrame)
  $('digits').value ? answer() : randomPalindrome()
  for (const {name} of about.generators) session(name).catch(() => {})
}

start().catch(error => {
  say(`The page cannot start: ${error.message}.`, true)
  for (const section of document.querySelectorAll('section')) section.hidden = true
})
