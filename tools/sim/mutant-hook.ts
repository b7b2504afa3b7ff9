/**
 * Loaded with --import before anything else: gives one source file with one place changed, as MUTANT names it. Nothing
 * is written to disk. It refuses a mutant whose text is not in its file exactly once.
 */
import { registerHooks } from 'node:module';
import { MUTANTS } from './mutants.ts';

const mutant = MUTANTS.find(({ name }) => name === process.env.MUTANT);
if (mutant === undefined) throw new Error(`no mutant is called "${process.env.MUTANT}"`);
const url = new URL(`../../${mutant.file}`, import.meta.url).href;

registerHooks({
  load(loaded, context, nextLoad) {
    const result = nextLoad(loaded, context);
    if (loaded !== url) return result;
    const source = String(result.source);
    if (source.split(mutant.find).length !== 2) {
      throw new Error(`mutant "${mutant.name}": its text must be in ${mutant.file} exactly once`);
    }
    return { ...result, source: source.replace(mutant.find, () => mutant.replace) };
  },
});
