;; Calls a function that an interface has since filter API 1.1; has no opinion on any host.
(module
  (import "portcullis:filter/clock@1.1.0" "later" (func $later (result i64)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge") (param i32 i32 i32) (result i32)
    (drop (call $later))
    (i32.const 0)))
