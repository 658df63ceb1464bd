// The generators and LSTMs of the book as parts of a page. A place for one is an element of class live-walk or
// live-memory, with an option behind a further dash, and with a still picture in it, which stays until the part has drawn.
// live.json says which networks there are; onnxruntime-web runs the generators.
const SIDE = 28, STEPS = 10, SHEET = 25, DRAWN = 40, REACH = 3, SLICE = 20, LONGEST = 1_000_000
const live = window.live = {drawn: 0, answered: '', busy: () => working > 0, reading: false, generate, latents, listen, logitsAfter}  // for tests, and for curious readers
let working = 0

// ---- files: each is asked for once, and again after a failure ----

const here = name => String(new URL(name, import.meta.url))

function once(make) {
  const kept = {}
  return (name = '') => kept[name] ??= make(name).catch(error => {
    delete kept[name]
    throw error
  })
}

async function load(name) {
  const response = await fetch(here(name)).catch(error => ({status: error.message}))
  if (!response.ok) throw new Error(`${name} could not be loaded (${response.status}); reload the page to try again`)
  return response
}

const described = once(async () => (await load('live.json')).json())
const styled = once(async () => new CSSStyleSheet().replace(await (await load('parts.css')).text()))
const runtime = once(async () => {
  if (typeof WebAssembly !== 'object') throw new Error('this browser has no WebAssembly, or it is switched off; try another browser')
  const name = 'ort.wasm.bundle.min.mjs'
  const ort = await import(here(name)).catch(() => { throw new Error(`${name} could not be loaded; reload the page to try again`) })
  ort.env.wasm.numThreads = 1
  return ort
})

function why({name, message}) {
  if (name === 'RangeError' || /memory|alloc/i.test(message)) return 'there is too little memory left for it; close other tabs and reload the page'
  if (/backend|wasm/i.test(message) && !message.startsWith('ort.')) return 'its runtime could not be loaded; reload the page to try again'
  return message
}

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

const session = once(async name => {
  const [ort, file] = await Promise.all([runtime(), load(`${name}.onnx`).then(response => response.arrayBuffer())])
  return ort.InferenceSession.create(new Uint8Array(file))
})

async function generate(name, z) {
  const {Tensor} = await runtime(), n = (await described()).generators.find(g => g.name === name).n_latent
  return (await (await session(name)).run({z: new Tensor('float32', Float32Array.from(z), [z.length/n, n])})).images.data
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

// ---- a part: markup and style in a tree of their own, so that neither meets those of the page around it ----

const named = place => [...place.classList].map(name => /^live-(walk|memory)(?:-(\w+))?$/.exec(name)).find(Boolean)
const count = n => n.toLocaleString('en')
const choices = (name, networks, first) => networks.map(({name: value, title}) => `<label><input type="radio" name="${name}" value="${value}"${value === first ? ' checked' : ''}><span>${title}</span></label>`).join('')
const chosen = (root, name) => root.querySelector(`input[name=${name}]:checked`).value

function check(root, name, value) {
  const radios = [...root.querySelectorAll(`input[name=${name}]`)]
  ;(radios.find(radio => radio.value === value) ?? radios.find(radio => radio.defaultChecked)).checked = true
}

function say(root, text, bad = false, where = 'message') {
  root.getElementById(where).textContent = text
  root.getElementById(where).classList.toggle('error', bad)
}

const complain = (root, error) => say(root, `This cannot run: ${why(error)}.`, true)

// Make a place into its part; the part can be asked for its state, and given another.
export async function start(place, state = new URLSearchParams()) {
  const [, kind, option] = named(place), still = place.querySelector('img'), host = document.createElement('div')
  const root = host.attachShadow({mode: 'open'})
  root.innerHTML = '<p id="message" role="status" aria-live="polite"></p><div id="part" hidden></div>'
  host.className = 'live-part'
  still ? still.after(host) : place.append(host)
  if (kind === 'walk') runtime().catch(() => {})
  try {
    const [style, networks] = await Promise.all([styled(), described()])
    root.adoptedStyleSheets = [style]
    const part = {walk, memory}[kind](root, networks, option)
    part.recall(state)
    await part.begin()
    root.addEventListener('change', () => host.dispatchEvent(new Event('live-change', {bubbles: true})))
    root.getElementById('part').hidden = false
    if (still) {
      host.classList.add('framed')
      still.hidden = true
    }
    return part
  } catch (error) { complain(root, error) }
}

// Each place on the page becomes its part when it comes into sight.
export function watch() {
  const seen = new IntersectionObserver(entries => {
    for (const {target} of entries.filter(entry => entry.isIntersecting)) {
      seen.unobserve(target)
      start(target)
    }
  }, {rootMargin: '200px'})
  for (const place of document.querySelectorAll('[class*=live-]')) if (named(place)) seen.observe(place)
}

// ---- the walk: option brief for less of it, full for a sheet of samples below ----

const seedField = (which, label, value, button) => `<label for="seed-${which}">${label}</label><input id="seed-${which}" class="seed" type="number" inputmode="numeric" min="0" max="999999" step="1" required value="${value}"><button id="new-${which}" type="button">${button}</button>`

const walkMarkup = ({generators}) => `
  <div class="choices more">
    <fieldset><legend>Network</legend>${choices('gan', generators, generators[0].name)}</fieldset>
    <fieldset><legend>Way</legend>${choices('how', [{name: 'spherical', title: 'spherical'}, {name: 'linear', title: 'linear'}], 'spherical')}</fieldset>
  </div>
  <div class="stage">
    <figure class="end">
      <canvas id="end-a" role="img" aria-label="The digit at A" width="28" height="28"></canvas>
      <figcaption>${seedField('a', 'A, seed', 0, 'New A')}</figcaption>
    </figure>
    <figure class="now"><canvas id="now" role="img" aria-label="The digit where the slider stands" width="28" height="28"></canvas></figure>
    <figure class="end">
      <canvas id="end-b" role="img" aria-label="The digit at B" width="28" height="28"></canvas>
      <figcaption>${seedField('b', 'B, seed', 8, 'New B')}</figcaption>
    </figure>
  </div>
  <p class="hint">Move the slider: one digit turns into another.</p>
  <p id="walk-message" class="said" role="status" aria-live="polite"></p>
  <div class="strip">
    <input id="t" type="range" min="0" max="1" step="0.002" value="0.35" aria-label="From A to B">
    <canvas id="strip" role="img" aria-label="The walk from A to B in ten pictures"></canvas>
  </div>
  <div class="more">
    <h3>Leave the path</h3>
    <p class="note">To these five directions the network’s pictures answer most, on average. Their sliders move the large picture away from the walk.</p>
    <div id="directions">${generators[0].directions.map((_, i) => `<label><input type="range" min="${-REACH}" max="${REACH}" step="0.05" value="0" aria-label="Direction ${i + 1}">${i + 1}</label>`).join('')}</div>
    <p class="buttons"><button id="straight" type="button">Back to the walk</button><button type="button" data-save="now">Save the picture</button><button type="button" data-save="strip">Save the walk</button></p>
  </div>
  <div class="below">
    <h3>Twenty-five at random</h3>
    <figure class="sheet">
      <canvas id="sheet" role="img" aria-label="25 generated digits"></canvas>
      <figcaption>${seedField('sheet', 'Seed', 0, 'New ones')}<button type="button" data-save="sheet">Save</button></figcaption>
    </figure>
    <p id="sheet-message" class="said" role="status" aria-live="polite"></p>
    <p class="note">The same seed gives the same pictures, here and in the book’s Python code.</p>
  </div>`

function walk(root, networks, option) {
  const $ = id => root.getElementById(id), seeds = {a: 0, b: 8, sheet: 0}, stale = new Set(), loaded = new Set()
  let drawing = false, drawn, failed
  $('part').innerHTML = walkMarkup(networks)
  $('part').className = option ?? 'plain'
  const bends = [...$('directions').querySelectorAll('input')], flat = rows => Float32Array.from(rows.flatMap(row => [...row]))
  const generator = () => networks.generators.find(g => g.name === chosen(root, 'gan'))

  // What the controls say is drawn at most once a frame, and always as they stand by then.

  function points(ts) {
    const way = chosen(root, 'how') === 'linear' ? lerp : slerp
    const [a, b] = [seeds.a, seeds.b].map(seed => latents(1, generator().n_latent, seed))
    return ts.map(t => way(a, b, t))
  }

  function bent() {
    const [z] = points([+$('t').value])
    return bends.reduce((z, input, i) => +input.value ? mix(z, generator().directions[i], 1, +input.value) : z, z)
  }

  const pictures = {
    now: async name => {
      paint($('now'), await generate(name, bent()))
      if (!live.drawn++) performance.mark('first-picture')
      drawn()
    },
    ends: async name => {
      const images = await generate(name, flat(points([0, 1])))
      paint($('end-a'), images.subarray(0, SIDE**2))
      paint($('end-b'), images.subarray(SIDE**2))
    },
    strip: async name => paint($('strip'), await generate(name, flat(points([...Array(STEPS).keys()].map(i => i/(STEPS - 1))))), STEPS, 2),
    sheet: async name => paint($('sheet'), await generate(name, latents(SHEET, generator().n_latent, seeds.sheet)), 5, 2),
  }
  if (option !== 'full') delete pictures.sheet

  async function choose() {
    const {name, title, bytes} = generator(), wanted = () => generator().name === name
    working++
    try {
      if (!loaded.has(name)) say(root, `Loading the ${title} (${(bytes/1e6).toFixed(1)} MB)…`)
      await session(name)
      loaded.add(name)
      if (!wanted()) return
      say(root, '')
      draw(...Object.keys(pictures))
    } catch (error) {
      if (!wanted()) return
      complain(root, error)
      failed(error)
    } finally { working-- }
  }

  function draw(...names) {
    names.forEach(name => stale.add(name))
    if (drawing) return
    drawing = true
    working++
    requestAnimationFrame(refresh)
  }

  async function refresh() {
    const {name} = generator()
    try {
      for (const picture of Object.keys(pictures)) if (generator().name === name && stale.delete(picture) && loaded.has(name)) await pictures[picture](name)
    } catch (error) {
      stale.clear()
      complain(root, error)
      failed(error)
    } finally {
      drawing = false
      working--
      if (stale.size) draw()
    }
  }

  function newSeed(which, complete = true) {
    const input = $(`seed-${which}`), good = input.checkValidity()
    if (!good && !complete) return
    input.setAttribute('aria-invalid', !good)
    say(root, good ? '' : 'A seed is a whole number from 0 to 999,999.', !good, which === 'sheet' ? 'sheet-message' : 'walk-message')
    if (!good || seeds[which] === +input.value) return
    seeds[which] = +input.value
    draw(...which === 'sheet' ? ['sheet'] : ['ends', 'now', 'strip'])
  }

  function changed() { root.dispatchEvent(new Event('change')) }

  for (const radio of root.querySelectorAll('[name=gan]')) radio.onchange = choose
  for (const radio of root.querySelectorAll('[name=how]')) radio.onchange = () => draw('now', 'strip')
  $('t').oninput = $('directions').oninput = () => draw('now')
  $('straight').onclick = () => {
    for (const input of bends) input.value = 0
    draw('now')
    changed()
  }
  for (const which in seeds) {
    $(`seed-${which}`).oninput = () => newSeed(which, false)
    $(`seed-${which}`).onchange = () => newSeed(which)
    $(`new-${which}`).onclick = () => {
      $(`seed-${which}`).value = Math.floor(Math.random()*1e6)
      newSeed(which)
      changed()
    }
  }
  for (const button of root.querySelectorAll('[data-save]')) button.onclick = () => save($(button.dataset.save), `${chosen(root, 'gan')}-${button.dataset.save}`)

  return {
    networks: networks.generators,
    state: () => ({gan: chosen(root, 'gan'), how: chosen(root, 'how'), ...seeds, t: $('t').value, bend: bends.map(input => input.value).join(' ')}),
    recall(state) {
      for (const name of ['gan', 'how']) check(root, name, state.get(name))
      for (const which in seeds) {
        const input = $(`seed-${which}`), kept = state.get(which)
        input.value = /^\d+$/.test(kept) && +kept <= input.max ? kept : input.defaultValue
        seeds[which] = +input.value
      }
      const t = parseFloat(state.get('t')), bend = (state.get('bend') ?? '').split(' ')
      $('t').value = t >= 0 && t <= 1 ? t : $('t').defaultValue
      bends.forEach((input, i) => input.value = parseFloat(bend[i]) || 0)
    },
    again: choose,
    begin: () => new Promise((resolve, reject) => {
      drawn = resolve
      failed = reject
      choose()
    }),
  }
}

// ---- the memory: one step of an LSTM a digit, in plain JavaScript; the option names its network ----

const memoryMarkup = ({memories}, option) => `
  <form id="lstm" novalidate>
    <div class="choices"><fieldset><legend>Network</legend>${choices('memory', memories, option ?? memories[0].name)}</fieldset></div>
    <label for="digits">Digits, without the last</label>
    <div class="entry"><input id="digits" inputmode="numeric" autocomplete="off" spellcheck="false" maxlength="${LONGEST + 1}" aria-describedby="verdict" value="3141592653356295141"></div>
    <div class="entry"><button id="new-digits" type="button">Random palindrome</button><label for="length">of</label><select id="length">${[20, 40, 1000, 100_001].map(n => `<option value="${n}">${count(n)} digits</option>`).join('')}</select></div>
  </form>
  <p id="verdict" role="status" aria-live="polite"></p>
  <p id="promise" class="note" hidden></p>
  <div id="memory" hidden>
    <h3>What it would answer after each digit</h3>
    <div class="chart" id="answers" role="region" tabindex="0" aria-label="Answers after each digit"></div>
    <h3>How far apart the ten possible first digits lie in its hidden state</h3>
    <div class="chart" id="apart" role="region" tabindex="0" aria-label="Distances after each digit"></div>
    <p class="note">Above: the stronger the colour, the likelier; the framed row is the first digit. Below: the mean distance of the hidden states of ten runs that differ in the first digit only. Both are drawn for up to ${DRAWN} digits.</p>
  </div>`

const softmax = logits => {
  const top = Math.max(...logits), e = [...logits].map(v => Math.exp(v - top)), sum = e.reduce((a, b) => a + b)
  return e.map(v => v/sum)
}
const sigmoid = v => 1/(1 + Math.exp(-v))
const tables = once(async name => new Float32Array(await (await load(`${name}.bin`)).arrayBuffer()))

async function weightsOf({name, base, n_hidden: n}) {
  const all = await tables(name)
  let at = 0
  const take = size => all.subarray(at, at += size)
  return {base, n, fromX: take(4*base*n), fromH: take(4*n*n), head: take(base*n), bias: take(base)}
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

function chart(place, digits, height, inside, label) {
  const width = LEFT + digits.length*W + 2
  place.innerHTML = `<svg viewBox="0 0 ${width} ${height + 18}" style="min-width:${Math.round(.75*width)}px;max-width:${Math.round(1.3*width)}px" role="img" aria-label="${label}">${inside}${
    digits.map((digit, t) => text(x(t) + W/2, height + 13, digit)).join('')}</svg>`
}

function drawAnswers(place, digits, answers, base) {
  const percent = p => (100*p).toFixed(0)
  const cells = answers.flatMap((row, t) => row.map((p, digit) => `<rect class="cell" x="${x(t)}" y="${digit*H}" width="${W - 1}" height="${H - 1}" opacity="${(.04 + .96*p).toFixed(3)}"><title>after ${t + 1}: ${digit} with ${percent(p)} %</title></rect>`))
  const names = [...Array(base).keys()].map(digit => text(7, digit*H + 11, digit))
  const frame = `<rect class="frame" x="${LEFT - 1}" y="${digits[0]*H - 1}" width="${digits.length*W + 1}" height="${H + 1}" rx="2"/>`
  chart(place, digits, base*H, cells.join('') + names.join('') + frame,
    `Probability of ${digits[0]}, the first digit, after each digit, in percent: ${answers.map(row => percent(row[digits[0]])).join(', ')}`)
}

function drawApart(place, digits, apart) {
  const scale = 56/Math.max(...apart)
  const bars = apart.map((d, t) => `<rect class="cell" x="${x(t) + 2}" y="${60 - d*scale}" width="${W - 5}" height="${d*scale}" rx="1"><title>${d.toFixed(2)}</title></rect>`)
  chart(place, digits, 62, bars.join(''), `Mean distance of the hidden states after each digit: ${apart.map(d => d.toFixed(1)).join(', ')}`)
}

const isPalindrome = digits => digits.every((digit, i) => digit === digits[digits.length - 1 - i])

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

function parseDigits(text, base) {
  const digits = new Uint16Array(text.length)
  for (let i = 0; i < text.length; i++) digits[i] = text.charCodeAt(i) - 48
  return digits.every(digit => digit < base) ? digits : null
}

function memory(root, networks, option) {
  const $ = id => root.getElementById(id)
  let asked = 0
  $('part').innerHTML = memoryMarkup(networks, option)
  const network = () => networks.memories.find(m => m.name === chosen(root, 'memory'))

  function refuse(why) {
    $('digits').setAttribute('aria-invalid', Boolean(why))
    $('verdict').classList.toggle('error', Boolean(why))
    if (why) $('verdict').textContent = why
    $('memory').hidden = $('promise').hidden = Boolean(why)
  }

  function given(base) {
    const {value} = $('digits')
    if (value.length > LONGEST) return refuse(`This page reads at most ${count(LONGEST)} digits.`)
    const said = value.replace(/\s/g, ''), digits = parseDigits(said, base)
    if (!said) return refuse('Type some digits, or take a random palindrome.')
    return digits ?? refuse(`It reads digits from 0 to ${base - 1} only.`)
  }

  async function answer() {
    const mine = ++asked, asks = network(), digits = given(asks.base)
    live.answered = ''
    live.reading = false
    if (!digits) return
    const goOn = read => {
      if (mine !== asked) return false
      if (read < digits.length) {
        live.reading = true
        $('verdict').classList.remove('error')
        $('verdict').textContent = `${count(read)} of ${count(digits.length)} digits read…`
      }
      return true
    }
    const logits = await logitsAfter(asks, digits, goOn)
    if (!logits) return
    live.reading = false
    refuse('')
    $('verdict').innerHTML = verdict(digits, logits)
    $('promise').textContent = promise(asks, digits.length)
    $('memory').hidden = digits.length > DRAWN
    if (digits.length <= DRAWN) {
      const {answers, apart} = await listen(asks, digits)
      drawAnswers($('answers'), [...digits], answers, asks.base)
      drawApart($('apart'), [...digits], apart)
    }
    live.answered = `${asks.name} ${digits.join('')}`
  }

  function again() {
    const mine = asked + 1, last = () => mine === asked
    return answer().then(() => last() && say(root, ''), error => last() && complain(root, error))
  }

  $('digits').oninput = again
  for (const radio of root.querySelectorAll('[name=memory]')) radio.onchange = again
  $('new-digits').onclick = () => {
    const {base} = network(), length = +$('length').value
    const half = Array.from({length: Math.ceil(length/2)}, () => Math.floor(Math.random()*base))
    $('digits').value = Array.from({length: length - 1}, (_, i) => half[Math.min(i, length - 1 - i)]).join('')
    again()
  }
  $('lstm').onsubmit = event => event.preventDefault()

  return {
    networks: networks.memories,
    state: () => ({memory: chosen(root, 'memory')}),
    recall: state => check(root, 'memory', state.get('memory')),
    again,
    begin: answer,
  }
}
