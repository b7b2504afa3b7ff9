/**
 * The nearest known name to one that is not known, for errors that say "did you mean".
 * Distance: Damerau-Levenshtein in its optimal-string-alignment form (a swap of two neighbours costs one).
 *
 * It refuses to guess wildly: when nothing is near enough, it answers undefined.
 */

/** Edits (insert, delete, replace, swap of neighbours) between two words. */
export function editDistance(left: string, right: string): number {
  const columns = right.length + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: columns }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column < columns; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}

/** Longer words than this are not compared: a name nobody could have meant must not cost time. */
const LONGEST_COMPARED = 100;

/**
 * The known name nearest to the one given, or undefined when none is within about a third of its length.
 * Case, `-` and `_` do not count. Of equally near names the first known one wins.
 *
 * @example nearestName('weigth', ['weight', 'bake']) // 'weight'
 */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
  if (given.length > LONGEST_COMPARED) return undefined;
  const wanted = plain(given);
  const allowed = Math.max(1, Math.floor(wanted.length / 3));
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const compared = plain(name);
    if (Math.abs(compared.length - wanted.length) > allowed) continue;
    const distance = editDistance(wanted, compared);
    if (distance <= allowed && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}
