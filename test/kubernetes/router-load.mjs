// Users of a routed service, from a process of their own, without retries, until standard input ends; then one line of JSON
// says how many requests each version answered, and which were lost. Half of the connections are kept, half closed each time.
//
//   node router-load.mjs URL HOST CONNECTIONS [close]
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const [url, host, connections = '8', only] = process.argv.slice(2);
const counts = { answered: {}, lost: [] };
let isGoing = true;

function once(agent) {
  return new Promise((resolve) => {
    const lost = (why) => {
      counts.lost.push(why);
      resolve();
    };
    const headers = { ...(host ? { host } : {}), ...(agent ? {} : { connection: 'close' }) };
    const asked = request(url, { agent, headers }, (answer) => {
      answer.resume();
      answer.on('error', (error) => lost(`broken off: ${error.code}`));
      answer.on('end', () => {
        const version = answer.headers['x-version'];
        if (answer.statusCode !== 200 || version === undefined) return lost(String(answer.statusCode));
        counts.answered[version] = (counts.answered[version] ?? 0) + 1;
        resolve();
      });
    });
    asked.on('error', (error) => lost(error.code ?? error.message));
    asked.end();
  });
}

async function user(index) {
  const agent = only !== 'close' && index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
  while (isGoing) {
    await once(agent);
    await delay(15);
  }
  if (agent !== false) agent.destroy();
}

process.stdin.resume();
process.stdin.on('end', () => {
  isGoing = false;
});
await Promise.all(Array.from({ length: Number(connections) }, (_, index) => user(index)));
process.stdout.write(`${JSON.stringify(counts)}\n`);
