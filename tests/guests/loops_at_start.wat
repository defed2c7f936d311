;; Never comes back from the function that runs when an instance is made.
(module
  (memory (export "memory") 1)
  (func $start (loop $again (br $again)))
  (start $start)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge") (param i32 i32 i32) (result i32)
    (i32.const 0)))
