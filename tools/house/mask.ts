/**
 * Tells code, comments and strings of a TypeScript file apart, by its tokens alone.
 * It refuses to know more: nesting of templates is followed, meaning is not.
 */

export interface Masked {
  /** As long as the source; comments and contents of strings are blanks. */
  readonly code: string;
  /** As long as the source; everything but contents of strings is blank. */
  readonly strings: string;
}

/** Splits a source into its code and its string contents. */
export function maskSource(text: string): Masked {
  return new Masker(text).mask();
}

/** After these a slash begins a regular expression; after anything else it divides. */
const BEFORE_REGEXP = /(?:^|[=(,:;!&|?{}[+\-*%~<>^]|\b(?:return|typeof|case|in|of|yield|await|throw|else|do))\s*$/;

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"|\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*|[`{}]/g;

class Masker {
  readonly #text: string;
  readonly #code: string[];
  readonly #strings: string[];
  /** Depth of braces at which each open hole of a template ends. */
  readonly #holes: number[] = [];
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    // UTF-16 units, so that indexes agree with those of the text.
    this.#code = text.replaceAll(/[^\n]/g, ' ').split('');
    this.#strings = [...this.#code];
  }

  mask(): Masked {
    let at = 0;
    while (at < this.#text.length) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(this.#text);
      const start = match?.index ?? this.#text.length;
      this.#copy(this.#code, at, start);
      at = match === null ? start : this.#token(match[0], start);
    }
    return { code: this.#code.join(''), strings: this.#strings.join('') };
  }

  /** Takes one token and answers where to read on. */
  #token(token: string, start: number): number {
    const end = start + token.length;
    if (token.startsWith('//') || token.startsWith('/*')) return end;
    if (token === '`' || token === '{' || token === '}') return this.#bracket(token, start);
    if (token.startsWith('/')) {
      const before = this.#code.slice(Math.max(0, start - 40), start).join('');
      this.#copy(this.#code, start, start + 1);
      return BEFORE_REGEXP.test(before) ? end : start + 1;
    }
    this.#copy(this.#code, start, start + 1);
    this.#copy(this.#strings, start + 1, end - 1);
    this.#copy(this.#code, end - 1, end);
    return end;
  }

  #bracket(token: string, start: number): number {
    if (token === '}' && this.#holes.at(-1) === this.#depth) {
      this.#holes.pop();
      return this.#template(start + 1);
    }
    this.#copy(this.#code, start, start + 1);
    if (token === '`') return this.#template(start + 1);
    this.#depth += token === '{' ? 1 : -1;
    return start + 1;
  }

  /** The text of a template up to its closing backtick or its next hole. */
  #template(from: number): number {
    let end = from;
    while (end < this.#text.length && this.#text[end] !== '`' && !this.#text.startsWith('${', end)) {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#copy(this.#strings, from, end);
    if (this.#text[end] !== '$') {
      this.#copy(this.#code, end, end + 1);
      return end + 1;
    }
    this.#holes.push(this.#depth);
    return end + 2;
  }

  #copy(into: string[], from: number, to: number): void {
    for (let at = from; at < Math.min(to, this.#text.length); at++) into[at] = this.#text[at] ?? ' ';
  }
}
