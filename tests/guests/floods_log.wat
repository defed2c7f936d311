;; Writes ten lines into the log for hosts that begin with `y`, five thousand for `x`; has no opinion on any.
(module
  (import "portcullis:filter/log@1.0.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "all work and no play")
  (func $log (param $lines i32)
    (loop $again
      (call $write (i32.const 4) (i32.const 64) (i32.const 20)) ;; at level error
      (local.set $lines (i32.sub (local.get $lines) (i32.const 1)))
      (br_if $again (local.get $lines))))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x79)) ;; y
      (then (call $log (i32.const 10))))
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (call $log (i32.const 5000))))
    (i32.const 0)))
