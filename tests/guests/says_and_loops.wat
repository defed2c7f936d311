;; Writes a line into the log about hosts that begin with `x`, and never answers; has no opinion on others.
(module
  (import "portcullis:filter/log@1.0.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "here we go")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then
        (call $write (i32.const 4) (i32.const 64) (i32.const 10)) ;; at level error
        (loop $again (br $again))))
    (i32.const 0)))
