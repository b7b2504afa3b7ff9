// Where the sample shop lies: beside the sources when run from the repository, in dist/ in the package.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HaldaneError } from '../../lib/errors.ts';

class ShopMissing extends HaldaneError {
  constructor() {
    super('the sample shop is not part of this installation', {
      code: 'shop-missing',
      fix: 'install the haldane package again, or run it from a clone of the repository',
    });
  }
}

export interface Places {
  readonly shop: string;
  readonly users: string;
  readonly policy: string;
  /** The program `haldane`, for starting the agent and for the commands a person can type. */
  readonly program: string;
}

export function findPlaces(): Places {
  const isSource = import.meta.url.endsWith('.ts');
  const extension = isSource ? 'ts' : 'js';
  const folder = isSource ? '../../../examples/shop' : '../../examples/shop';
  const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const places = {
    shop: at(`${folder}/shop.${extension}`),
    users: at(`${folder}/users.${extension}`),
    policy: at(`${folder}/haldane.yaml`),
    program: at(`../haldane.${extension}`),
  };
  if (!existsSync(places.shop) || !existsSync(places.policy)) throw new ShopMissing();
  return places;
}
