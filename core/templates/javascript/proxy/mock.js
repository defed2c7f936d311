// Lets the tests do without a proxy: what the filter imports from portcullis:filter/NAME comes from the file NAME.js beside this one.
// Only a few are here; another is soon written, its functions stand in wit/deps/portcullis-filter/filter.wit.

import { register } from 'node:module';

register('./resolve.js', import.meta.url);
