;; Refuses each address in a hook of filter API 1.1; has no opinion on any host.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge") (param i32 i32 i32) (result i32)
    (i32.const 0))
  (func (export "portcullis:filter/judge-address@1.1.0#judge") (param i32) (result i32)
    (i32.const 0)))
