;; Counts to twenty million whenever an instance is made. Traps at hosts that begin with `x`; at those
;; with `y` it writes a line into the log and never answers; has no opinion on others.
(module
  (import "portcullis:filter/log@1.0.0" "write" (func $write (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "here we go")
  (func $start (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 20_000_000)))))
  (start $start)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (local $first i32)
    (local.set $first (i32.load8_u (local.get $host)))
    (if (i32.eq (local.get $first) (i32.const 0x78)) (then (unreachable)))
    (if (i32.eq (local.get $first) (i32.const 0x79))
      (then
        (call $write (i32.const 4) (i32.const 64) (i32.const 10)) ;; at level error
        (loop $again (br $again))))
    (i32.const 0)))
