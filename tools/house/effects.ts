/**
 * In the controller, the outside is changed in one place and the record is written in one place, so that
 * "recorded before performed" can be read off two files.
 */
import { type Finding, lineAt, type Tree } from './source.ts';

const PLACES = [
  {
    call: /\.(?:ensure|retire|notify)\(|\bgates\??\.run\(/g,
    in: /^src\/controller\/perform[\w-]*\.ts$/,
    message: 'only src/controller/perform.ts changes what is outside; say it as an effect',
  },
  {
    call: /\bstore\??\.record\(/g,
    in: /^src\/controller\/record[\w-]*\.ts$/,
    message: 'only src/controller/record.ts writes state and journal',
  },
];

export function effectFindings(tree: Tree): Finding[] {
  const controller = tree.sources.filter(({ path }) => /^src\/controller\/(?!.*\.test\.ts$)/.test(path));
  return controller.flatMap(({ path, code }) =>
    PLACES.filter((place) => !place.in.test(path)).flatMap(({ call, message }) =>
      [...code.matchAll(call)].map((match) => ({ rule: 'effects', path, line: lineAt(code, match.index), message })),
    ),
  );
}
