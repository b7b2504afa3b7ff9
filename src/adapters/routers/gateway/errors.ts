import { HaldaneError } from '../../../lib/errors.ts';

/** The gateway cannot be started, reached or understood. Never a statement about what it does. */
export class GatewayRouterError extends HaldaneError {
  constructor(code: string, message: string, options: { cause?: unknown; fix?: string } = {}) {
    super(message, { code, retry: 'later', ...options });
  }
}
