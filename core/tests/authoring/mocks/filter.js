// Uses all that the proxy offers: it limits how often a client shops during working hours, and does
// not tell shops where their visitors come from.

import { addField } from 'portcullis:filter/answer@1.0.0';
import { address, groups, user } from 'portcullis:filter/client@1.0.0';
import { local, now } from 'portcullis:filter/clock@1.0.0';
import { registrable } from 'portcullis:filter/domains@1.0.0';
import { foundIn, id } from 'portcullis:filter/exchange@1.0.0';
import { find } from 'portcullis:filter/feeds@1.0.0';
import { write as log } from 'portcullis:filter/log@1.0.0';
import { count, gauge, observe } from 'portcullis:filter/metrics@1.0.0';
import * as notes from 'portcullis:filter/notes@1.0.0';
import { duration, how, status as statusSent } from 'portcullis:filter/outcome@1.0.0';
import { number } from 'portcullis:filter/random@1.0.0';
import { url as requestUrl } from 'portcullis:filter/request@1.0.0';
import * as requestHeaders from 'portcullis:filter/request-headers@1.0.0';
import * as responseHeaders from 'portcullis:filter/response-headers@1.0.0';
import { compareAndSet, get, increment } from 'portcullis:filter/state@1.0.0';
import { addressText, allow, ask, block, bytes, drop, hook, judge, keep, next, redirect, replace, settings, text } from './portcullis.js';

const defaults = { visits: 2 };
const day = 86_400_000n;

let config = defaults;

export const lifecycle = {
  init: hook((json) => {
    config = settings(json, defaults);
  }),
};

export const judgeHost = {
  judge: judge((host, port) => {
    const match = find(host);
    if (match?.kind === 'listed') {
      count('listed', 1n, [{ name: 'feed', value: match.feed }]);
      return block(`${host} is on a list`, { matched: `${match.rule} (line ${match.line})` });
    }
    const { weekday, hour } = local('Europe/Berlin');
    gauge('hour', hour, []);
    if (registrable(host) !== 'shop.co.uk' || port !== 443 || weekday > 5 || hour >= 17) {
      keep(60_000);
      return next;
    }
    return groups().includes('buyers') ? allow : visit(17 - hour);
  }),
};

// A client without an address counts as `local`.
function visit(hoursLeft) {
  const from = address();
  const client = user() ?? (from ? addressText(from) : 'local');
  let visits;
  try {
    visits = increment(`visits ${client}`, 1n, day);
  } catch (error) {
    if (error.payload?.tag === 'full') {
      return ask(`May ${client} shop now?`, { otherwise: 'next', wait: 5000 });
    }
    throw error;
  }
  notes.set('visits', String(visits));
  log('info', `${id()}: visit ${visits} of ${client}, found in ${foundIn()}`);
  return visits <= config.visits ? next : block(`back to work, ${client}`, { status: 429, retryAfter: hoursLeft * 3_600_000 });
}

export const judgeRequest = {
  judge: judge((method, url) => {
    if (method === 'TRACE') {
      return drop;
    }
    if (url.endsWith('/checkout')) {
      addField('Set-Cookie', bytes('basket=; Max-Age=0'));
      return redirect('https://intranet.example/', { status: 303 });
    }
    for (const referer of requestHeaders.get('Referer')) {
      observe('referer_bytes', referer.length, [{ name: 'method', value: method }]);
    }
    requestHeaders.remove('Referer');
    requestHeaders.set('X-Request', bytes(number().toString(16)));
    return next;
  }),
};

export const judgeResponse = {
  judge: judge((status) => {
    if (status === 404) {
      return replace('text/plain; charset=utf-8', `Es gibt ${requestUrl()} nicht – ${text(requestHeaders.get('x-request')[0])}`, { status: 410 });
    }
    const fields = responseHeaders.all().filter(({ name }) => !name.toLowerCase().startsWith('x-'));
    responseHeaders.setAll([...fields, { name: 'X-Robots-Tag', value: bytes('none') }]);
    return next;
  }),
};

export const exchangeEnded = {
  ended: hook(() => {
    observe('seconds', Number(duration()) / 1000, [{ name: 'how', value: how() }]);
    log('debug', `status ${statusSent() ?? 'none'} after visit ${notes.get('visits') ?? 'none'}`);
  }),
};

export const tick = {
  tick: hook(() => {
    // Only the first instance that comes writes down when.
    const first = compareAndSet('began', undefined, bytes(String(now())), undefined);
    log('debug', `began at ${text(get('began'))}`);
    return first ? 60_000n : undefined;
  }),
};
