//! A parameter of every form type, as a template may ask it.
#![expect(clippy::too_many_lines, reason = "a list of scenes reads best in one piece")]

use std::collections::BTreeMap;

use steading::model::parameter::{
    FormType, Monotonic, Parameter, ParameterOption, ParameterType, Preset, Validation,
};

pub fn parameter(name: &str, kind: ParameterType, form_type: FormType) -> Parameter {
    Parameter {
        name: name.into(),
        display_name: String::new(),
        description: String::new(),
        kind,
        form_type,
        styling: "{}".into(),
        mutable: true,
        ephemeral: false,
        required: false,
        default_value: String::new(),
        icon: String::new(),
        order: 0,
        options: vec![],
        validation: Validation::default(),
    }
}

fn option(name: &str, value: &str, description: &str, icon: &str) -> ParameterOption {
    ParameterOption {
        name: name.into(),
        description: description.into(),
        value: value.into(),
        icon: icon.into(),
    }
}

pub fn all() -> Vec<Parameter> {
    let images = vec![
        option("Rust 1.93 on Debian 13", "rust", "", ""),
        option("Node 24 on Debian 13", "node", "for the web", ""),
    ];
    let editors = vec![
        option("VS Code", "vscode", "", "/icon/code.svg"),
        option("JetBrains", "jetbrains", "", "/icon/jetbrains.svg"),
        option("Jupyter", "jupyter", "", "/icon/jupyter.svg"),
    ];
    let hosts =
        vec![option("attic, arm64", "attic", "", ""), option("cellar, amd64", "cellar", "", "")];
    let loss = vec![
        option("Keep the volume", "keep", "Nightly copy to the backup bucket.", ""),
        option("Start fresh", "fresh", "Clone again, run the startup script.", ""),
    ];
    let list = ParameterType::ListString;
    let text = ParameterType::String;
    vec![
        Parameter {
            display_name: "Cores".into(),
            default_value: "4".into(),
            validation: Validation {
                min: Some(1),
                max: Some(8),
                monotonic: Some(Monotonic::Increasing),
                ..Validation::default()
            },
            ..parameter("cores", ParameterType::Number, FormType::Slider)
        },
        Parameter {
            display_name: "Memory, GB".into(),
            default_value: "8".into(),
            validation: Validation { min: Some(1), max: Some(24), ..Validation::default() },
            ..parameter("memory", ParameterType::Number, FormType::Input)
        },
        Parameter {
            display_name: "Base image".into(),
            description: "Fetched again each night at 03:00.".into(),
            default_value: "rust".into(),
            options: images,
            ..parameter("image", text, FormType::Dropdown)
        },
        Parameter {
            display_name: "Where".into(),
            default_value: "attic".into(),
            mutable: false,
            options: hosts,
            ..parameter("host", text, FormType::Radio)
        },
        Parameter {
            display_name: "If the machine is lost".into(),
            default_value: "keep".into(),
            options: loss,
            ..parameter("loss", text, FormType::Radio)
        },
        Parameter {
            display_name: "Docker inside".into(),
            description: "Adds a rootless daemon.".into(),
            default_value: "false".into(),
            ..parameter("docker", ParameterType::Bool, FormType::Switch)
        },
        Parameter {
            display_name: "Copy dotfiles".into(),
            default_value: "true".into(),
            ..parameter("dotfiles", ParameterType::Bool, FormType::Checkbox)
        },
        Parameter {
            display_name: "Repository".into(),
            styling: r#"{"placeholder":"https://git.lan/you/repo.git"}"#.into(),
            ..parameter("repo", text, FormType::Input)
        },
        Parameter {
            display_name: "Registry token".into(),
            required: true,
            styling: r#"{"mask_input":true}"#.into(),
            ..parameter("token", text, FormType::Input)
        },
        Parameter {
            display_name: "Editors".into(),
            default_value: r#"["vscode"]"#.into(),
            options: editors,
            ..parameter("editors", list, FormType::MultiSelect)
        },
        Parameter {
            display_name: "Tags".into(),
            default_value: r#"["ledger","spike"]"#.into(),
            ..parameter("tags", list, FormType::TagSelect)
        },
        Parameter {
            display_name: "Startup script".into(),
            default_value: "just setup\ncargo fetch".into(),
            ..parameter("script", text, FormType::Textarea)
        },
        Parameter {
            display_name: "Rebuild from".into(),
            ephemeral: true,
            ..parameter("rebuild", text, FormType::Input)
        },
        Parameter {
            display_name: "A broken question".into(),
            ..parameter("broken", text, FormType::Error)
        },
    ]
}

pub fn presets() -> Vec<Preset> {
    let preset = |name: &str, description: &str, icon: &str, parameters: &[(&str, &str)]| Preset {
        name: name.into(),
        description: description.into(),
        icon: icon.into(),
        is_default: false,
        parameters: parameters
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        prebuilds: None,
    };
    vec![
        preset("Small", "2 cores, 4 GB.", "", &[("cores", "2"), ("memory", "4")]),
        preset(
            "Rust service",
            "4 cores, 8 GB, postgres.",
            "/icon/rust.svg",
            &[("cores", "4"), ("memory", "8"), ("image", "rust")],
        ),
        preset(
            "Data",
            "8 cores, 24 GB, Jupyter.",
            "/icon/jupyter.svg",
            &[("cores", "8"), ("memory", "24")],
        ),
    ]
}
