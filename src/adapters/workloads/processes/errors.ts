import { HaldaneError } from '../../../lib/errors.ts';

/** The process workload cannot do or cannot see what was asked. */
export class ProcessWorkloadError extends HaldaneError {
  constructor(code: string, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(message, { code, retry: 'later', ...options });
  }
}
