// Text that goes into a page, and numbers as people read them.

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES.get(sign) ?? sign)
}

/** An element. Attributes are escaped; `content` is markup already. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content = '',
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
  return `<${name}${written.join('')}>${content}</${name}>`
}

const SHORT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 })
const EXACT = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 })
const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** For axes: 1.5K. */
export const short = (value: number): string => SHORT.format(value)
/** For tables: 1,500. */
export const exact = (value: number): string => (value >= 1000 ? WHOLE : EXACT).format(value)

/** A size in bytes, for an axis: 16, 4K, 256K. */
export function shortBytes(bytes: number): string {
  return bytes >= 1024 ? `${short(bytes / 1024)}K` : String(bytes)
}
