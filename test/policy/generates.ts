/**
 * What a field of a written policy may change in the compiled one: the field itself, and what it generates. The most
 * specific entry counts. `[i]` stands for the same index on both sides.
 */
const STAGES_GENERATE = ['policy.ramp', 'policy.leastBakeMs', 'policy.deadlines.releaseMs'];
const RAMP_GENERATES = [...STAGES_GENERATE, 'policy.exposure.badPerInterval'];

const GENERATES: Readonly<Record<string, readonly string[]>> = {
  apiVersion: [],
  kind: [],
  metadata: ['metadata', 'policy.name'],
  'metadata.name': ['metadata.name', 'policy.name'],
  'metadata.labels': ['metadata.labels'],
  'metadata.annotations': ['metadata.annotations'],
  spec: ['policy', 'version'],
  'spec.workload': ['policy.workload', 'policy.routes', 'version'],
  'spec.workload.processes.replicas': ['policy.workload.replicas'],
  'spec.workload.processes.ready': ['policy.workload.ready', 'policy.routes'],
  'spec.workload.processes.ready.interval': ['policy.workload.ready.intervalMs'],
  'spec.workload.processes.ready.timeout': ['policy.workload.ready.timeoutMs'],
  'spec.workload.processes.ready.failures': ['policy.workload.ready.failures'],
  'spec.workload.processes.live': ['policy.workload.live', 'policy.routes'],
  'spec.workload.processes.stop': ['policy.workload.stopMs'],
  'spec.workload.processes.restart': ['policy.workload.restart'],
  'spec.workload.processes.restart.initial': ['policy.workload.restart.initialMs'],
  'spec.workload.processes.restart.max': ['policy.workload.restart.maxMs'],
  'spec.workload.processes.logs': ['policy.workload.logs'],
  'spec.workload.processes.logs.maxBytes': ['policy.workload.logs.maxBytes'],
  'spec.workload.processes.logs.files': ['policy.workload.logs.files'],
  'spec.workload.processes.template': ['version'],
  'spec.workload.processes.template.version': ['version.label', 'version.revision'],
  'spec.workload.processes.template.command': ['version.template.command', 'version.revision', 'version.label'],
  'spec.workload.processes.template.env': ['version.template.env', 'version.revision', 'version.label'],
  'spec.workload.processes.template.workingDirectory': [
    'version.template.workingDirectory',
    'version.revision',
    'version.label',
  ],
  'spec.workload.upstreams.ready': ['policy.workload.ready', 'policy.routes'],
  'spec.workload.upstreams.template': ['version'],
  'spec.workload.upstreams.template.endpoints': ['version.template.endpoints', 'version.revision', 'version.label'],
  'spec.router': ['policy.router'],
  'spec.router.gateway.listen': ['policy.router.listen'],
  'spec.router.gateway.timeouts': ['policy.router.timeouts'],
  'spec.router.gateway.timeouts.connect': ['policy.router.timeouts.connectMs'],
  'spec.router.gateway.timeouts.response': ['policy.router.timeouts.responseMs'],
  'spec.router.gateway.timeouts.idle': ['policy.router.timeouts.idleMs'],
  'spec.router.gateway.timeouts.head': ['policy.router.timeouts.headMs'],
  'spec.router.gateway.limits': ['policy.router.limits'],
  'spec.router.gateway.limits.head': ['policy.router.limits.headBytes'],
  'spec.router.gateway.limits.body': ['policy.router.limits.bodyBytes'],
  'spec.router.gateway.limits.connections': ['policy.router.limits.connections'],
  'spec.router.gateway.accessLog': ['policy.router.accessLog'],
  'spec.strategy': [],
  'spec.stages': RAMP_GENERATES,
  'spec.stages[i]': STAGES_GENERATE,
  'spec.stages[i].weight': ['policy.ramp.stages[i]', 'policy.leastBakeMs', 'policy.deadlines.releaseMs'],
  'spec.stages[i].bake': ['policy.ramp.stages[i].bakeMs', 'policy.leastBakeMs', 'policy.deadlines.releaseMs'],
  'spec.stages[i].checks': ['policy.ramp.stages[i].checks'],
  'spec.stages[i].gates': ['policy.ramp.stages[i].gates'],
  'spec.stages[i].advance': ['policy.ramp.stages[i].advance'],
  'spec.preset': RAMP_GENERATES,
  'spec.ramp': RAMP_GENERATES,
  'spec.ramp.gates': ['policy.ramp.gates'],
  'spec.analysis': ['policy.analysis', 'policy.checks'],
  'spec.checks': ['policy.checks'],
  'spec.checks[i]': ['policy.checks[i]'],
  'spec.checks[i].name': ['policy.checks[i].name'],
  'spec.checks[i].metric': [
    'policy.checks[i].metric',
    'policy.checks[i].tolerance',
    'policy.checks[i].role',
    'policy.checks[i].direction',
    'policy.checks[i].weight',
  ],
  'spec.checks[i].metric.latency': ['policy.checks[i].metric.quantile'],
  'spec.checks[i].metric.business': ['policy.checks[i].metric'],
  'spec.checks[i].metric.business.from': ['policy.checks[i].metric.from'],
  'spec.checks[i].metric.business.to': ['policy.checks[i].metric.to'],
  'spec.checks[i].tolerance': ['policy.checks[i].tolerance'],
  'spec.checks[i].tolerance.ratio': ['policy.checks[i].tolerance.ratio'],
  'spec.checks[i].tolerance.margin': ['policy.checks[i].tolerance.margin'],
  'spec.checks[i].limit': ['policy.checks[i].limit', 'policy.checks[i].tolerance'],
  'spec.checks[i].limit.above': ['policy.checks[i].limit'],
  'spec.checks[i].role': ['policy.checks[i].role'],
  'spec.checks[i].direction': ['policy.checks[i].direction'],
  'spec.checks[i].weight': ['policy.checks[i].weight'],
  'spec.checks[i].warmUp': ['policy.checks[i].warmUpMs'],
  'spec.checks[i].noData': ['policy.checks[i].noDataMs'],
  'spec.checks[i].routes': ['policy.checks[i].selector.routes'],
  'spec.checks[i].methods': ['policy.checks[i].selector.methods'],
  'spec.errors': ['policy.errors'],
  'spec.errors.classes': ['policy.errors.statusClasses'],
  'spec.errors.codes': ['policy.errors.statusCodes'],
  'spec.errors.endings': ['policy.errors.endings'],
  'spec.errors.routes': ['policy.errors.routes', 'policy.errors.exceptRoutes'],
  'spec.errors.methods': ['policy.errors.methods'],
  'spec.errors.exceptRoutes': ['policy.errors.exceptRoutes'],
  'spec.errors.retryHeader': ['policy.errors.retryHeader'],
  'spec.routes': ['policy.routes'],
  'spec.decision': ['policy.decision'],
  'spec.userKey': ['policy.userKey'],
  'spec.userKey.cookie': ['policy.userKey.cookie'],
  'spec.userKey.header': ['policy.userKey.header'],
  'spec.affinity': ['policy.affinity'],
  'spec.affinity.cookie': ['policy.affinity.cookie'],
  'spec.affinity.ttl': ['policy.affinity.ttlSeconds'],
  'spec.audience': ['policy.audience'],
  'spec.audience[i]': ['policy.audience[i]'],
  'spec.canary': ['policy.canary'],
  'spec.canary.minReplicas': ['policy.canary.minReplicas'],
  'spec.canary.ratio': ['policy.canary.ratio'],
  'spec.exposure': ['policy.exposure'],
  'spec.exposure.badPerInterval': ['policy.exposure.badPerInterval'],
  'spec.exposure.totalRequests': ['policy.exposure.totalRequests'],
  'spec.alphas': ['policy.alphas'],
  'spec.alphas.abort': ['policy.alphas.abort'],
  'spec.alphas.promote': ['policy.alphas.promote'],
  'spec.leastBake': ['policy.leastBakeMs', 'policy.deadlines.releaseMs'],
  'spec.deadlines': ['policy.deadlines'],
  'spec.deadlines.start': ['policy.deadlines.startMs'],
  'spec.deadlines.release': ['policy.deadlines.releaseMs'],
  'spec.deadlines.gate': ['policy.deadlines.gateMs'],
  'spec.deadlines.drain': ['policy.deadlines.drainMs'],
  'spec.onDeadline': ['policy.onDeadline'],
  'spec.onAbort': ['policy.onAbort'],
  'spec.interval': ['policy.intervalMs'],
  'spec.notify': ['policy.notify'],
  'spec.notify[i]': ['policy.notify[i]'],
  'spec.historyLimit': ['policy.historyLimit'],
};

/** Prefixes of compiled paths that a change at a written path may touch; null where any change would be a surprise. */
export function generatedBy(path: readonly (string | number)[]): readonly string[] | null {
  for (let length = path.length; length > 0; length--) {
    const part = path.slice(0, length);
    const index = part.findLast((each) => typeof each === 'number');
    const key = part
      .map((each) => (typeof each === 'number' ? '[i]' : `.${each}`))
      .join('')
      .slice(1);
    const found = Object.hasOwn(GENERATES, key) ? GENERATES[key] : undefined;
    if (found !== undefined) return found.map((prefix) => prefix.replace('[i]', `[${index}]`));
  }
  return null;
}

export function isWithin(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`);
}
