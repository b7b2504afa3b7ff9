import { HaldaneError } from '../../../lib/errors.ts';

/** A route cannot be read or written as it would have to be. Never a statement about what it does. */
export class GatewayApiError extends HaldaneError {}
