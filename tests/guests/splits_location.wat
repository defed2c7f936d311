;; Redirects hosts that begin with `x` to a URL with a line break and a header field in it; has no opinion on others.
(module
  (memory (export "memory") 1)
  ;; At 16: ok(redirect { status: 302, location: the 37 bytes at 64 }).
  (data (i32.const 16) "\00\00\00\00\00\00\00\00\03\00\00\00\00\00\00\00\2e\01\00\00\40\00\00\00\25\00\00\00")
  (data (i32.const 64) "http://elsewhere.test/\0d\0aSet-Cookie: a")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (return (i32.const 16))))
    (i32.const 0)))
