// As whom this operator writes, by the API server's own word: admission lets one account through, and undoes what any other
// does. Not known is not another: the answer to each write is compared, too.
import type { KubeApi } from '../../kubernetes/index.ts';
import type { Log } from '../../lib/log.ts';

export class OwnAccount {
  readonly #api: KubeApi;
  readonly #log: Log;
  #name: string | null = null;

  constructor(api: KubeApi, log: Log) {
    this.#api = api;
    this.#log = log;
  }

  /** null: not known. */
  get name(): string | null {
    return this.#name;
  }

  async ask(): Promise<void> {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    try {
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const { status } = await this.#api.raw<Review>('POST', path, review);
      this.#name = status?.userInfo?.username ?? null;
    } catch (error) {
      this.#log.warn('as whom this operator writes is not known', { error });
    }
  }
}

interface Review {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}
