// Asks the proxy for much of what it offers: whoever shops before five is sent back to work, and nobody tells shops where they come from.

import { address } from 'portcullis:filter/client@0.1.0';
import { local } from 'portcullis:filter/clock@0.1.0';
import { registrable } from 'portcullis:filter/domains@0.1.0';
import { count, gauge } from 'portcullis:filter/metrics@0.1.0';
import { get, remove } from 'portcullis:filter/request-headers@0.1.0';
import { append } from 'portcullis:filter/response-headers@0.1.0';
import { keep } from 'portcullis:filter/verdict-cache@0.1.0';
import { block, hook, judge, next } from './portcullis.js';

export const lifecycle = {
  init: hook(() => {}),
};

export const judgeHost = {
  judge: judge(({ host }) => {
    const { weekday, hour } = local('Europe/Berlin');
    gauge('hour', hour);
    if (registrable(host) !== 'shop.co.uk' || weekday > 5 || hour >= 17) {
      keep('host', 60000n);
      return next;
    }
    count('sent_back', 1n);
    return block(`back to work, ${address() ?? 'whoever you are'}`);
  }),
};

export const judgeRequest = {
  judge: judge(() => {
    for (const referer of get('Referer')) {
      count('referer_bytes', BigInt(referer.length));
    }
    remove('Referer');
    return next;
  }),
};

export const judgeResponse = {
  judge: judge(() => {
    append('X-Robots-Tag', new TextEncoder().encode('none'));
    return next;
  }),
};
