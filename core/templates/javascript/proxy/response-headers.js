import { Fields } from './fields.js';

/** The fields of the response, for tests to give: fields.give('Set-Cookie', 'a=1'). */
export const fields = new Fields();

export function reset() {
  fields.clear();
}

export const get = (name) => fields.get(name);
export const names = () => fields.names();
export const all = () => fields.all();
export const set = (name, value) => fields.set(name, value);
export const append = (name, value) => fields.append(name, value);
export const remove = (name) => fields.remove(name);
export const setAll = (list) => fields.setAll(list);
