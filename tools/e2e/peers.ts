// What Flagger 15bd6ad and Argo Rollouts 9f8d111, unmodified, did with the same five cases: Kubernetes 1.36, Traefik 3.7,
// Prometheus every 5 s, 2 replicas, 60 requests a second, base errors 0.1 %; each at the settings of its own tutorial.
// Measured once; data.

export interface PeerFigures {
  readonly name: string;
  readonly settings: string;
  readonly cases: Readonly<Record<string, string>>;
  readonly rest: string;
}

export const PEERS: readonly PeerFigures[] = [
  {
    name: 'Flagger',
    settings: 'its Traefik tutorial: every 10 s, threshold 10, step 5, max 50, success >= 99 % over 1 m, p99 <= 500 ms',
    cases: {
      healthy: 'promoted after 136 s, 0 lost',
      'errors-2': 'rolled back after 174 s, 51 bad, 0 lost',
      'errors-0.8': 'promoted after 185 s, 125 bad, 0 lost',
      'all-fail': 'rolled back after 126 s, 320 bad, 0 lost',
      deleted: '14,343 of 19,800 requests lost',
    },
    rest: '3,000 API calls a minute above the 50 to 70 of the cluster itself (10 per object), 76 MB, 3.5 s of processor time in 2 minutes',
  },
  {
    name: 'Argo Rollouts',
    settings: '20, 40, 60, 80 %, 1 m each, analysis every 1 m, success >= 0.99, failureLimit 3',
    cases: {
      healthy: 'promoted after 244 s, 0 lost',
      'errors-2': 'promoted after 244 s, 312 bad, 0 lost',
      'errors-0.8': 'promoted after 244 s, 116 bad, 0 lost',
      'all-fail': 'aborted after 43 s, 475 bad, 0 lost',
      deleted: 'not tried',
    },
    rest: '0 API calls a minute above the cluster itself, 113 MB, 0.07 s of processor time in 2 minutes',
  },
];
