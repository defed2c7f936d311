//! The generated bindings of `wit/filter.wit`, a module for each world. Only `proxy` and `exports` use them.
#![expect(missing_docs, reason = "generated code")]

/// Everything a filter may import, and the types.
pub(crate) mod capabilities {
    wit_bindgen::generate!({
        path: "wit",
        world: "capabilities",
        generate_unused_types: true,
    });
}

/// Made once an instance.
pub mod lifecycle_hook {
    wit_bindgen::generate!({
        path: "wit",
        world: "lifecycle-hook",
        pub_export_macro: true,
    });
}

/// The host of every request.
pub mod judge_host_hook {
    wit_bindgen::generate!({
        path: "wit",
        world: "judge-host-hook",
        with: { "portcullis:filter/types@0.1.0": crate::bindings::capabilities::portcullis::filter::types },
        pub_export_macro: true,
    });
}

/// The head of a visible request.
pub mod judge_request_hook {
    wit_bindgen::generate!({
        path: "wit",
        world: "judge-request-hook",
        with: { "portcullis:filter/types@0.1.0": crate::bindings::capabilities::portcullis::filter::types },
        pub_export_macro: true,
    });
}

/// The response to a visible request.
pub mod judge_response_hook {
    wit_bindgen::generate!({
        path: "wit",
        world: "judge-response-hook",
        with: { "portcullis:filter/types@0.1.0": crate::bindings::capabilities::portcullis::filter::types },
        pub_export_macro: true,
    });
}

/// Work in the background.
pub mod tick_hook {
    wit_bindgen::generate!({
        path: "wit",
        world: "tick-hook",
        with: { "portcullis:filter/types@0.1.0": crate::bindings::capabilities::portcullis::filter::types },
        pub_export_macro: true,
    });
}
