;; Has a memory of 769 pages, as no other filter has. Has no opinion on any host.
(module
  (memory (export "memory") 769)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge") (param i32 i32 i32) (result i32)
    (i32.const 0)))
