/** Links: a relative one leads to a file that is there, and its anchor to a heading of that file. */
import { posix } from 'node:path';
import { withoutCode } from '../house/words.ts';
import type { Fault, Pages } from './pages.ts';

const LINK = /!?\[(?:[^\]\\]|\\.)*\]\((?<target>[^)\s]+)(?:\s+"[^"]*")?\)/g;

export function checkLinks(pages: Pages): Fault[] {
  return [...pages.markdown].flatMap(([path, text]) => {
    const prose = withoutCode(text);
    return [...prose.matchAll(LINK)].flatMap((match) => {
      const message = fault(path, match.groups?.target ?? '', pages);
      return message === undefined ? [] : [{ path, line: prose.slice(0, match.index).split('\n').length, message }];
    });
  });
}

function fault(path: string, target: string, pages: Pages): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [file = '', anchor] = target.split('#');
  const wanted = file === '' ? path : posix.join(posix.dirname(path), file);
  if (!pages.exists(wanted)) return `the link ${target} leads nowhere: there is no ${wanted}`;
  const page = pages.markdown.get(wanted);
  if (anchor === undefined || page === undefined) return undefined;
  return anchorsOf(page).has(anchor) ? undefined : `the link ${target} leads to no heading of ${wanted}`;
}

/** The anchors that hosts of Markdown give to headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  for (const [, heading = ''] of markdown.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(plain) ?? 0;
    seen.set(plain, times + 1);
    anchors.add(times === 0 ? plain : `${plain}-${times}`);
  }
  return anchors;
}
