// Lets the tests do without a proxy: what the filter imports from portcullis:filter/NAME comes from
// the file NAME.js beside this one. What it has beyond the contract is for tests, to set before or
// to look at afterwards.

import { register } from 'node:module';

register('./resolve.js', import.meta.url);
