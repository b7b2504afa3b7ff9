// Whether a text is a condition over one measured value, in the part of Argo's expression language that makes sense
// for it: result[0] >= 0.95 && !isNaN(result[0]). It says what is wrong and computes nothing.
//
// It refuses what could only fail later, at a measurement: a condition that is a number, one that compares a yes with a
// number, one that does not look at `result` at all.
import { nearestName } from './nearest.ts';

export interface ConditionProblem {
  readonly problem: string;
  readonly fix: string;
  readonly nearest?: string;
}

type Kind = 'value' | 'yes-no';

/** What each function takes and gives; `result` is the measured value, and a list of that one value as well. */
const FUNCTIONS: Readonly<Record<string, { readonly takes: number; readonly gives: Kind }>> = {
  len: { takes: 1, gives: 'value' },
  isNaN: { takes: 1, gives: 'yes-no' },
  isInf: { takes: 1, gives: 'yes-no' },
  isNil: { takes: 1, gives: 'yes-no' },
  default: { takes: 2, gives: 'value' },
  asFloat: { takes: 1, gives: 'value' },
  asInt: { takes: 1, gives: 'value' },
};
const WORDS = ['result', 'and', 'or', 'not', ...Object.keys(FUNCTIONS)];
const EXAMPLE = 'write a condition such as result[0] >= 0.95';
const TOKEN = /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|&&|\|\||[<>=!]=|[<>!()[\],+\-*/%])|(\S))/y;
/** Deeper nesting is no condition that anybody reads. */
const DEEPEST = 40;

/** @example conditionProblem('result[0] >= 0.95') // null */
export function conditionProblem(text: string): ConditionProblem | null {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const [, token, strange] = TOKEN.exec(text) ?? [];
    if (token === undefined) return wrong(strange);
    tokens.push(token);
  }
  const reader = new Reader(tokens);
  const kind = reader.either();
  if (reader.problem !== null) return reader.problem;
  if (!reader.atEnd) return { problem: `${reader.shown} is one too many here`, fix: EXAMPLE };
  if (kind !== 'yes-no') return { problem: 'is a value, not a yes or no', fix: `compare it: ${EXAMPLE}` };
  return reader.looksAtResult ? null : { problem: 'does not look at result, so it is always the same', fix: EXAMPLE };
}

function wrong(strange: string | undefined): ConditionProblem {
  const shown = JSON.stringify(strange ?? '');
  if (strange === '=') return { problem: '"=" compares nothing', fix: 'write ==, or >= and <=' };
  return { problem: `${shown} means nothing in a condition`, fix: EXAMPLE };
}

/** Recursive descent, one method per binding strength, loosest first. The first problem stands. */
class Reader {
  problem: ConditionProblem | null = null;
  looksAtResult = false;
  readonly #tokens: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  get shown(): string {
    const token = this.#tokens[this.#at];
    return token === undefined ? 'the end' : JSON.stringify(token.slice(0, 40));
  }

  either(): Kind {
    return this.#joined(['||', 'or'], () => this.#joined(['&&', 'and'], () => this.#compared()));
  }

  #joined(operators: readonly string[], next: () => Kind): Kind {
    let kind = next();
    for (let operator = this.#taken(operators); operator !== null; operator = this.#taken(operators)) {
      this.#mustBe('yes-no', kind, `the left of ${operator}`);
      kind = next();
      this.#mustBe('yes-no', kind, `the right of ${operator}`);
    }
    return kind;
  }

  #compared(): Kind {
    let kind = this.#computed(['+', '-'], () => this.#computed(['*', '/', '%'], () => this.#prefixed()));
    for (let operator = this.#comparison(); operator !== null; operator = this.#comparison()) {
      const right = this.#computed(['+', '-'], () => this.#computed(['*', '/', '%'], () => this.#prefixed()));
      const isEquality = operator === '==' || operator === '!=';
      if (!isEquality || right === 'value') this.#mustBe('value', kind, `the left of ${operator}`);
      if (!isEquality || kind === 'value') this.#mustBe('value', right, `the right of ${operator}`);
      kind = 'yes-no';
    }
    return kind;
  }

  #comparison(): string | null {
    return this.#taken(['==', '!=', '<', '<=', '>', '>=']);
  }

  #computed(operators: readonly string[], next: () => Kind): Kind {
    const kind = next();
    for (let operator = this.#taken(operators); operator !== null; operator = this.#taken(operators)) {
      this.#mustBe('value', kind, `the left of ${operator}`);
      this.#mustBe('value', next(), `the right of ${operator}`);
    }
    return kind;
  }

  #prefixed(): Kind {
    const operator = this.#taken(['!', 'not', '-', '+']);
    if (operator === null) return this.#single();
    const wanted = operator === '!' || operator === 'not' ? 'yes-no' : 'value';
    this.#mustBe(
      wanted,
      this.#nested(() => this.#prefixed()),
      `what follows ${operator}`,
    );
    return wanted;
  }

  #single(): Kind {
    const token = this.#tokens[this.#at];
    if (token !== undefined && /^\d/.test(token)) {
      this.#at += 1;
      return 'value';
    }
    if (this.#taken(['(']) !== null) {
      const kind = this.#nested(() => this.either());
      this.#expect(')');
      return kind;
    }
    if (token === undefined || !/^[A-Za-z_]/.test(token)) {
      this.#fail({ problem: `a value is missing before ${this.shown}`, fix: EXAMPLE });
      return 'value';
    }
    this.#at += 1;
    if (token === 'result') return this.#result();
    return Object.hasOwn(FUNCTIONS, token) ? this.#call(token) : this.#unknown(token);
  }

  #result(): Kind {
    this.looksAtResult = true;
    if (this.#taken(['[']) === null) return 'value';
    if (this.#tokens[this.#at] !== '0') {
      this.#fail({ problem: 'one value is measured, so result holds one entry', fix: 'write result[0]' });
    }
    this.#at += 1;
    this.#expect(']');
    return 'value';
  }

  #call(name: string): Kind {
    const { takes, gives } = FUNCTIONS[name] ?? { takes: 1, gives: 'value' };
    this.#expect('(');
    for (let index = 0; index < takes; index++) {
      if (index > 0) this.#expect(',');
      this.#mustBe(
        'value',
        this.#nested(() => this.either()),
        `what ${name} is given`,
      );
    }
    this.#expect(')');
    return gives;
  }

  #unknown(token: string): Kind {
    const nearest = nearestName(token, WORDS);
    const known = `known here: ${WORDS.join(', ')}`;
    const fix = nearest === undefined ? `write ${known}` : `did you mean ${nearest}? (${known})`;
    const problem = `${JSON.stringify(token.slice(0, 40))} means nothing in a condition`;
    this.#fail(nearest === undefined ? { problem, fix } : { problem, fix, nearest });
    return 'value';
  }

  #nested(next: () => Kind): Kind {
    this.#depth += 1;
    if (this.#depth > DEEPEST) this.#fail({ problem: 'is nested too deeply', fix: EXAMPLE });
    const kind = this.problem === null ? next() : 'value';
    this.#depth -= 1;
    return kind;
  }

  #taken(operators: readonly string[]): string | null {
    const token = this.#tokens[this.#at];
    if (this.problem !== null || token === undefined || !operators.includes(token)) return null;
    this.#at += 1;
    return token;
  }

  #expect(token: string): void {
    if (this.#taken([token]) === null)
      this.#fail({ problem: `"${token}" is missing before ${this.shown}`, fix: EXAMPLE });
  }

  #mustBe(wanted: Kind, kind: Kind, where: string): void {
    if (wanted === kind) return;
    const [is, needed] = kind === 'value' ? ['a value', 'a yes or no'] : ['a yes or no', 'a value'];
    this.#fail({
      problem: `${where} is ${is} and must be ${needed}`,
      fix: kind === 'value' ? 'compare it, as in (result[0] >= 0.95)' : 'join comparisons with && or ||',
    });
  }

  #fail(problem: ConditionProblem): void {
    this.problem ??= problem;
  }
}
